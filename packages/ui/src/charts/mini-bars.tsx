import { scaleLinear } from "d3-scale";
import type { FC } from "hono/jsx";
import { formatCompact, formatDayShort } from "../format.ts";
import type { DayValue } from "../top-customers-report.ts";

const WIDTH = 120;
const HEIGHT = 28;
/** A day with any use shows at least this much, so that a little is never mistaken for nothing. */
const BAR_HEIGHT_MIN = 1;

interface MiniBarsProps {
  /** Days in order. */
  readonly series: readonly DayValue[];
  /** The day that is not over yet; it is hatched. */
  readonly incompleteDay: string | null;
}

/**
 * A row's daily values as small bars on the row's own scale, with the same in words for those who do
 * not see them. Drawn as one path: twenty rows of thirty bars stay a few kilobytes.
 */
export const MiniBars: FC<MiniBarsProps> = ({ series, incompleteDay }) => {
  const values = series.map(({ value }) => Number(value));
  const y = scaleLinear([Math.min(0, ...values), Math.max(1e-9, ...values)], [HEIGHT, 0]);
  const pitch = WIDTH / Math.max(series.length, 1);
  const barWidth = pitch * 0.76;
  const bars = series.map((day, index) => ({
    incomplete: day.day === incompleteDay,
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
      aria-label={inWords(series, incompleteDay)}
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

function inWords(series: readonly DayValue[], incompleteDay: string | null): string {
  const complete = series.filter(({ day }) => day !== incompleteDay);
  const [first] = complete;
  const last = complete.at(-1);
  if (first === undefined || last === undefined) return "No complete day yet";
  const highest = complete.reduce((best, day) => (Number(day.value) > Number(best.value) ? day : best));
  const idle = complete.filter(({ value }) => Number(value) === 0).length;
  const today = series.find(({ day }) => day === incompleteDay);
  return [
    `Daily values from ${formatDayShort(first.day)} to ${formatDayShort(last.day)}: highest ${formatCompact(highest.value)} on ${formatDayShort(highest.day)}`,
    idle > 0 ? `${idle} of ${complete.length} days without use` : "used every day",
    ...(today === undefined ? [] : [`${formatCompact(today.value)} so far on ${formatDayShort(today.day)}`]),
  ].join(", ");
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
