import type { FC } from "hono/jsx";
import { formatExactNumber, formatTimeShort } from "../format.ts";
import type { ColumnsOfTable } from "../table-chart.ts";
import { percent, toScale } from "./scale.ts";

const HEIGHT = 190;
/** Room above and below the columns, for the figures of the axes. */
const TOP = 8;
const BOTTOM = 22;
/** Labels along time. */
const LABELS_MAX = 6;

/** Vertical columns along time, on one scale, as wide as there is room. */
export const ColumnChart: FC<{ readonly chart: ColumnsOfTable }> = ({ chart }) => (
  <figure class="bar-chart">
    <figcaption>
      <h2>{chart.title}</h2>
      {chart.caption !== undefined && <p>{chart.caption}</p>}
    </figcaption>
    <svg class="column-chart" height={HEIGHT} role="img" aria-label={`Column chart. ${chart.summary}`}>
      <Columns chart={chart} width="86%" height={HEIGHT} />
    </svg>
  </figure>
);

interface ColumnsProps {
  readonly chart: ColumnsOfTable;
  /** Of the columns; the rest of the drawing is for the figures beside them. A stylesheet can say it better. */
  readonly width: number | string;
  readonly height: number;
}

/** The columns with their axes, in a drawing of whatever width. */
export const Columns: FC<ColumnsProps> = ({ chart, width, height }) => {
  const { bars, format } = chart;
  const values = bars.flatMap(({ value }) => value ?? []);
  const scale = toScale(values, format);
  const y = (share: number): number => round(TOP + ((100 - share) / 100) * (height - TOP - BOTTOM));
  const zero = y(scale.at(0));
  const pitch = 100 / bars.length;
  const step = Math.ceil(bars.length / LABELS_MAX);
  return (
    <>
      {scale.ticks.map(({ at, label }) => (
        <text class="axis" x="100%" y={y(at) + 4} text-anchor="end">
          {label}
        </text>
      ))}
      <svg class="plot" width={width} height={height}>
        {scale.ticks.map(({ at }) => (
          <line class="grid" x2="100%" y1={y(at)} y2={y(at)} />
        ))}
        {bars.map(({ label, value, open }, index) => {
          if (value === null) return null;
          const top = y(scale.at(Number(value)));
          return (
            <rect
              class={open ? "bar open" : "bar"}
              x={percent(index * pitch)}
              width={percent(pitch * 0.76)}
              y={Math.min(zero, top)}
              height={round(Math.abs(top - zero))}
            >
              <title>
                {label}: {formatExactNumber(value)}
              </title>
            </rect>
          );
        })}
        {bars
          .map(({ label }, index) => ({ label, x: percent(index * pitch) }))
          .filter((_, index) => index % step === 0)
          .map(({ label, x }) => (
            <text class="axis" x={x} y={height - 4}>
              {formatTimeShort(label)}
            </text>
          ))}
      </svg>
    </>
  );
};

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
