/** Names of colours that a segment's line can have. There are as many as a metric can have segments. */
export const SEGMENT_COLORS = [
  "blue",
  "orange",
  "green",
  "purple",
  "red",
  "teal",
  "pink",
  "yellow",
  "brown",
  "grey",
] as const;

export type SegmentColor = (typeof SEGMENT_COLORS)[number];

interface Named {
  readonly name: string;
  readonly color?: SegmentColor | undefined;
}

/**
 * Gives every segment a colour of its own: the one it asks for, else the one that it had among `before`,
 * else the first that is free.
 */
export function assignColors<Segment extends Named>(
  segments: readonly Segment[],
  before: readonly Named[] = [],
): (Segment & { readonly color: SegmentColor })[] {
  const taken = new Set(segments.map(({ color }) => color));
  const claim = (color: SegmentColor | undefined): SegmentColor | undefined => {
    if (color === undefined || taken.has(color)) return undefined;
    taken.add(color);
    return color;
  };
  const kept = segments.map(
    ({ name, color }) => color ?? claim(before.find((segment) => segment.name === name)?.color),
  );
  return segments.map((segment, i) => {
    const color = kept[i] ?? claim(SEGMENT_COLORS.find((free) => !taken.has(free))) ?? SEGMENT_COLORS[0];
    return { ...segment, color };
  });
}
