import type { FC } from "hono/jsx";
import { formatCompact, formatExactNumber, formatShare } from "../format.ts";
import { percent, type Scale, toScale } from "./scale.ts";

/** One bar; `rest` marks the one that stands for everybody else. */
export interface Bar {
  readonly label: string;
  /** An exact decimal. */
  readonly value: string;
  readonly rest?: boolean;
}

interface BarChartProps {
  readonly title: string;
  /** Printed under the title. */
  readonly caption?: string | undefined;
  /** One sentence that says what the chart shows: it is read out in place of the drawing. */
  readonly summary: string;
  readonly bars: readonly Bar[];
  /** What all bars are a part of, for the per cent; left out where they do not add up. */
  readonly whole?: string;
  /** How a value is written at a glance. */
  readonly format?: (value: string) => string;
}

/** An axis label longer than this needs the room of two. */
const LABEL_LENGTH_MAX = 6;

/**
 * Horizontal bars on one scale. Lengths are per cent of the drawing's width, so that the chart fits any
 * screen while its text keeps the size of the page's.
 */
export const BarChart: FC<BarChartProps> = ({ title, caption, summary, bars, whole, format = formatCompact }) => {
  const values = bars.map(({ value }) => value);
  const scale = toScale(values, format);
  const lines = scale.ticks.map((tick) => <line class="grid" x1={percent(tick.at)} x2={percent(tick.at)} y2="100%" />);
  return (
    <figure class="bar-chart">
      <figcaption>
        <h2>{title}</h2>
        {caption !== undefined && <p>{caption}</p>}
      </figcaption>
      <div role="img" aria-label={`Bar chart. ${summary}`}>
        {bars.map((bar) => (
          <div class="bar-row">
            <bdi class="bar-label" title={bar.label}>
              {bar.label}
            </bdi>
            <svg>
              {lines}
              <rect class={bar.rest === true ? "bar rest" : "bar"} y="22%" height="56%" {...reach(scale, bar.value)} />
            </svg>
            <span class={whole === undefined ? "bar-value alone" : "bar-value"} title={formatExactNumber(bar.value)}>
              {format(bar.value)} {whole !== undefined && <small>{formatShare(bar.value, whole)}</small>}
            </span>
          </div>
        ))}
        <Axis ticks={scale.ticks} />
      </div>
    </figure>
  );
};

/** From where to where a bar reaches: from zero, to either side. */
export function reach(scale: Scale, value: string): { readonly x: string; readonly width: string } {
  const [from, to] = [scale.at(0), scale.at(Number(value))];
  return { x: percent(Math.min(from, to)), width: percent(Math.abs(to - from)) };
}

/** Long labels stand at every second line, so that they do not touch on a small screen. */
const Axis: FC<Pick<Scale, "ticks">> = ({ ticks }) => {
  const step = ticks.some(({ label }) => label.length > LABEL_LENGTH_MAX) ? 2 : 1;
  return (
    <div class="bar-row bar-axis">
      <svg>
        {ticks
          .filter((_, index) => index % step === 0)
          .map(({ at, label }) => (
            <text x={percent(at)} y="12" text-anchor={at < 1 ? "start" : at > 99 ? "end" : "middle"}>
              {label}
            </text>
          ))}
      </svg>
    </div>
  );
};
