import { scaleLinear } from "d3-scale";
import type { FC } from "hono/jsx";
import { formatCompact, formatExactNumber, formatShare } from "../format.ts";

/** One bar; `rest` marks the one that stands for everybody else. */
export interface Bar {
  readonly label: string;
  /** An exact decimal. */
  readonly value: string;
  readonly rest?: boolean;
}

interface BarChartProps {
  readonly title: string;
  /** One sentence that says what the chart shows: it is printed, and read out in place of the drawing. */
  readonly summary: string;
  readonly bars: readonly Bar[];
  /** What all bars are a part of, for the per cent. */
  readonly whole: string;
}

/** How many lines the axis is divided by, about. */
const TICKS = 4;
/** An axis label longer than this needs the room of two. */
const LABEL_LENGTH_MAX = 6;

/**
 * Horizontal bars on one scale. Lengths are per cent of the drawing's width, so that the chart fits any
 * screen while its text keeps the size of the page's.
 */
export const BarChart: FC<BarChartProps> = ({ title, summary, bars, whole }) => {
  const highest = Math.max(...bars.map(({ value }) => Number(value)));
  const x = scaleLinear([0, highest], [0, 100]).nice(TICKS);
  const ticks = x.ticks(TICKS);
  const lines = ticks.map((tick) => <line class="grid" x1={at(x(tick))} x2={at(x(tick))} y1="0" y2="100%" />);
  return (
    <figure class="bar-chart">
      <figcaption>
        <h2>{title}</h2>
        <p>{summary}</p>
      </figcaption>
      <div role="img" aria-label={`Bar chart. ${summary}`}>
        {bars.map((bar) => (
          <div class="bar-row">
            <bdi class="bar-label" title={bar.label}>
              {bar.label}
            </bdi>
            <svg>
              {lines}
              <rect
                class={bar.rest === true ? "bar rest" : "bar"}
                y="22%"
                height="56%"
                width={at(Math.max(0, x(Number(bar.value))))}
              />
            </svg>
            <span class="bar-value" title={formatExactNumber(bar.value)}>
              {formatCompact(bar.value)} <small>{formatShare(bar.value, whole)}</small>
            </span>
          </div>
        ))}
        <Axis ticks={ticks.map((tick) => ({ at: x(tick), label: formatCompact(asDecimal(tick)) }))} />
      </div>
    </figure>
  );
};

/** Long labels stand at every second line, so that they do not touch on a small screen. */
const Axis: FC<{ readonly ticks: readonly { readonly at: number; readonly label: string }[] }> = ({ ticks }) => {
  const step = ticks.some(({ label }) => label.length > LABEL_LENGTH_MAX) ? 2 : 1;
  return (
    <div class="bar-row bar-axis">
      <svg>
        {ticks
          .filter((_, index) => index % step === 0)
          .map((tick) => (
            <text x={at(tick.at)} y="12" text-anchor={tick.at === 0 ? "start" : tick.at > 99 ? "end" : "middle"}>
              {tick.label}
            </text>
          ))}
      </svg>
    </div>
  );
};

/** A tick is a round float: written out without an exponent. */
function asDecimal(tick: number): string {
  return Number.isInteger(tick) ? BigInt(tick).toString() : tick.toFixed(12);
}

function at(percent: number): string {
  return `${Math.round(percent * 100) / 100}%`;
}
