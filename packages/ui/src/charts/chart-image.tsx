import type { FC } from "hono/jsx";
import { cutText } from "../cut-text.ts";
import { formatInstant } from "../format.ts";
import type { Theme } from "../layout.tsx";
import type { BarsOfTable, TableChart } from "../table-chart.ts";
import { reach } from "./bar-chart.tsx";
import { Columns } from "./column-chart.tsx";
import { percent, toScale } from "./scale.ts";

export interface ChartImageProps {
  readonly title: string;
  readonly chart: TableChart;
  /** When the figures were read, in milliseconds. */
  readonly asOf: number;
  readonly theme: Theme;
}

const WIDTH = 720;
const MARGIN = 24;
const HEAD = 84;
const FOOT = 44;
const ROW = 30;
const COLUMNS_HEIGHT = 220;
const AXIS = 20;
const LABEL_WIDTH = 190;
const VALUE_WIDTH = 80;
/** Beside columns. */
const FIGURES = 48;
/** Characters of a title that stand in one line, and of a label that its column may cut. */
const TITLE_LENGTH_MAX = 60;
const LABEL_LENGTH_MAX = 26;

const DARK = "{--ground:#131c22;--ink:#e6edf0;--soft:#9fb1bb;--line:#25323a;--bar:#4ba8b4}";

/** The one style of every chart image: its colours, by the reader's system or as the address says. */
export const CHART_IMAGE_STYLE =
  "svg{--ground:#fff;--ink:#15232b;--soft:#546571;--line:#e1e7ea;--bar:#2f8793}" +
  `@media(prefers-color-scheme:dark){.auto,.auto svg${DARK}}.dark,.dark svg${DARK}` +
  "text{font:13px Inter,-apple-system,Segoe UI,Roboto,Liberation Sans,Arial,sans-serif;fill:var(--ink)}" +
  ".paper{fill:var(--ground)}.title{font-size:18px;font-weight:600}.soft,.axis{fill:var(--soft)}.axis{font-size:12px}" +
  ".grid{stroke:var(--line)}.bar{fill:var(--bar)}.open{fill-opacity:.3;stroke:var(--bar);stroke-dasharray:4 3}.value{font-weight:600}";

/** The style as a content security policy allows it: by its SHA-256. */
export const CHART_IMAGE_STYLE_SOURCE = "'sha256-iL9yoLgXbKVIWa1I7Q0MCCJwmTxbdDa7SVaY6Itj5vw='";

/** A chart as a picture of its own: a whole SVG document that fetches nothing and runs nothing. */
export const ChartImage: FC<ChartImageProps> = ({ title, chart, asOf, theme }) => {
  const drawing = chart.kind === "columns" ? COLUMNS_HEIGHT : chart.bars.length * ROW + AXIS;
  const height = HEAD + drawing + FOOT;
  return (
    <svg
      xmlns="http://www.w3.org/2000/svg"
      class={theme}
      width={WIDTH}
      height={height}
      viewBox={`0 0 ${WIDTH} ${height}`}
      role="img"
      aria-labelledby="title desc"
    >
      <title id="title">{title}</title>
      <desc id="desc">{chart.summary}</desc>
      <style>{CHART_IMAGE_STYLE}</style>
      <rect class="paper" width="100%" height="100%" />
      <text class="title" x={MARGIN} y="38">
        {cutText(title, TITLE_LENGTH_MAX)}
      </text>
      <text class="soft" x={MARGIN} y="60">
        {[chart.title, chart.caption].filter((part) => part !== undefined).join(": ")}
      </text>
      <svg x={MARGIN} y={HEAD} width={WIDTH - 2 * MARGIN} height={drawing}>
        {chart.kind === "columns" ? (
          <Columns chart={chart} width={WIDTH - 2 * MARGIN - FIGURES} height={drawing} />
        ) : (
          <Bars chart={chart} height={drawing} />
        )}
      </svg>
      <text class="soft" x={MARGIN} y={height - 16}>
        As of {formatInstant(asOf)}. Counted by Tidemark.
      </text>
    </svg>
  );
};

/** A line for each bar: its label, the bar, its value. What is too long for its column is cut off by it. */
const Bars: FC<{ readonly chart: BarsOfTable; readonly height: number }> = ({ chart, height }) => {
  const { bars, format } = chart;
  const scale = toScale(
    bars.map(({ value }) => value),
    format,
  );
  const width = WIDTH - 2 * MARGIN;
  const place = { x: LABEL_WIDTH, width: width - LABEL_WIDTH - VALUE_WIDTH, height };
  return (
    <>
      <svg {...place}>
        {scale.ticks.map(({ at, label }) => (
          <>
            <line class="grid" x1={percent(at)} x2={percent(at)} y2={height - AXIS} />
            <text
              class="axis"
              x={percent(at)}
              y={height - 4}
              text-anchor={at < 1 ? "start" : at > 99 ? "end" : "middle"}
            >
              {label}
            </text>
          </>
        ))}
        {bars.map(({ value }, index) => (
          <rect class="bar" y={index * ROW + 6} height={ROW - 12} {...reach(scale, value)} />
        ))}
      </svg>
      {bars.map(({ label, value }, index) => (
        <>
          <svg width={LABEL_WIDTH - 12} y={index * ROW} height={ROW}>
            <text y="20">{cutText(label, LABEL_LENGTH_MAX)}</text>
          </svg>
          <text class="value" x={width} y={index * ROW + 20} text-anchor="end">
            {format(value)}
          </text>
        </>
      ))}
    </>
  );
};
