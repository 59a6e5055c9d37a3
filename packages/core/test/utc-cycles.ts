/** A length of cycles whose boundaries are reckoned on UTC's calendar. */
export interface UtcInterval {
  readonly count: number;
  readonly period: "days" | "weeks" | "months";
}

const DAY_MS = 86_400_000;

/** Where the cycle `index` after the anchor's begins, in milliseconds. */
export function boundaryAt({ count, period }: UtcInterval, anchor: number, index: number): number {
  if (period !== "months") return anchor + index * count * (period === "weeks" ? 7 : 1) * DAY_MS;
  const first = new Date(anchor);
  const month = first.getUTCMonth() + index * count;
  const lastDay = new Date(Date.UTC(first.getUTCFullYear(), month + 1, 0)).getUTCDate();
  const midnight = Date.UTC(first.getUTCFullYear(), month, Math.min(first.getUTCDate(), lastDay));
  return midnight + (anchor % DAY_MS);
}

/** The first boundary after an instant that is not before the anchor. */
export function boundaryAfter(interval: UtcInterval, anchor: number, instant: number): number {
  let index = 1;
  while (boundaryAt(interval, anchor, index) <= instant) index++;
  return boundaryAt(interval, anchor, index);
}
