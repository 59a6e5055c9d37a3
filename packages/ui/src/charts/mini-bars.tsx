import type { SeriesCell } from "@tidemark/contract/report-table";
import type { FC } from "hono/jsx";
import { formatCompact, formatDayShort, isDay } from "../format.ts";
import { linear } from "./scale.ts";

const WIDTH = 120;
const HEIGHT = 28;
/** A part with any use shows at least this much, so that a little is never mistaken for nothing. */
const BAR_HEIGHT_MIN = 1;

/**
 * A row's values, by day or by hour, as small bars on the row's own scale, with the same in words for those
 * who do not see them. Drawn as one path: twenty rows of thirty bars stay a few kilobytes. What is not over
 * yet is hatched.
 */
export const MiniBars: FC<SeriesCell> = (cell) => {
  const { series, incomplete } = cell;
  const values = series.map(({ value }) => Number(value));
  const y = linear([Math.min(0, ...values), Math.max(1e-9, ...values)], [HEIGHT, 0]);
  const pitch = WIDTH / Math.max(series.length, 1);
  const barWidth = pitch * 0.76;
  const bars = series.map(({ label }, index) => ({
    incomplete: label === incomplete,
    x: index * pitch,
    height: barHeight(values[index] ?? 0, y(0) - y(values[index] ?? 0)),
  }));
  return (
    <svg
      class="mini-bars"
      viewBox={`0 0 ${WIDTH} ${HEIGHT + 1}`}
      width={WIDTH}
      height={HEIGHT + 1}
      preserveAspectRatio="none"
      role="img"
      aria-label={inWords(cell)}
    >
      <path class="baseline" d={`M0 ${round(y(0)) + 0.5}H${WIDTH}`} />
      <path
        class="bar"
        d={bars
          .filter((bar) => !bar.incomplete && bar.height !== 0)
          .map(
            (bar) => `M${round(bar.x)} ${round(y(0))}v${round(-bar.height)}h${round(barWidth)}v${round(bar.height)}z`,
          )
          .join("")}
      />
      {bars
        .filter((bar) => bar.incomplete && bar.height !== 0)
        .map((bar) => (
          <path
            class="hatched"
            stroke-width={round(barWidth)}
            d={`M${round(bar.x + barWidth / 2)} ${round(y(0))}v${round(-bar.height)}`}
          />
        ))}
    </svg>
  );
};

function barHeight(value: number, height: number): number {
  if (value === 0) return 0;
  return Math.sign(height) * Math.max(Math.abs(height), BAR_HEIGHT_MIN);
}

function inWords({ series, incomplete }: SeriesCell): string {
  const known = series.flatMap(({ label, value }) => (value === null ? [] : [{ label, value }]));
  const complete = known.filter(({ label }) => label !== incomplete);
  const [first] = complete;
  const last = complete.at(-1);
  const words = isDay(first?.label ?? "") ? DAYS : PARTS;
  if (first === undefined || last === undefined) return `No complete ${words.one} yet`;
  const highest = complete.reduce((best, part) => (Number(part.value) > Number(best.value) ? part : best));
  const idle = complete.filter(({ value }) => Number(value) === 0).length;
  const current = known.find(({ label }) => label === incomplete);
  return [
    `${words.values} from ${name(first.label)} to ${name(last.label)}: highest ${formatCompact(highest.value)} ${words.at} ${name(highest.label)}`,
    idle > 0 ? `${idle} of ${complete.length} ${words.several} without use` : `used every ${words.one}`,
    ...(current === undefined ? [] : [`${formatCompact(current.value)} so far ${words.at} ${name(current.label)}`]),
  ].join(", ");
}

const DAYS = { values: "Daily values", at: "on", one: "day", several: "days" } as const;
const PARTS = { values: "Values", at: "at", one: "hour", several: "hours" } as const;

function name(label: string): string {
  return isDay(label) ? formatDayShort(label) : label;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
