/** Charts. What is not over yet is hatched where bars are small, a line as thick as the bar cut into stripes, and else dashed. */
export const CHART_STYLES = `
.mini-bars { display: block; inline-size: 100%; min-inline-size: 5.5rem; max-inline-size: 14rem; block-size: 1.8125rem; }
.days { inline-size: 22%; }
.bar { fill: var(--bar); }
.bar.open { fill-opacity: 0.3; stroke: var(--bar); stroke-dasharray: 4 3; }
.bar.rest { fill: var(--rest); }
.hatched { stroke: var(--bar); stroke-dasharray: 1.6 1.1; fill: none; }
.baseline { stroke: var(--strong-line); stroke-width: 1; }
.bar-chart { padding: 1.25rem; }
.bar-chart figcaption { margin-block-end: 1rem; }
.bar-chart figcaption p::first-letter { text-transform: uppercase; }
.bar-chart figcaption p { color: var(--soft); margin-block-start: 0.25rem; text-wrap: pretty; overflow-wrap: anywhere; }
.bar-row { display: grid; grid-template-columns: minmax(6rem, 12rem) minmax(0, 1fr) 7rem; gap: 0 1rem; align-items: center; }
.bar-label { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.bar-row svg { inline-size: 100%; block-size: 1.75rem; overflow: visible; }
.bar-row .grid { stroke: var(--line); }
.bar-value { font-weight: 600; white-space: nowrap; display: grid; grid-template-columns: 1fr 2.75rem; gap: 0.5rem; align-items: baseline; text-align: end; }
.bar-value.alone { display: block; }
.bar-axis svg { grid-column: 2; block-size: 1rem; }
.bar-axis text { fill: var(--soft); font-size: 0.75rem; }
.column-chart { display: block; inline-size: 100%; overflow: visible; }
.plot { width: calc(100% - 3rem); overflow: visible; }
.column-chart .grid { stroke: var(--line); }
.column-chart .axis { fill: var(--soft); font-size: 0.75rem; }
@container (max-width: 40rem) {
  .bar-row { grid-template-columns: minmax(0, 1fr) auto; align-items: baseline; }
  .bar-row svg { grid-row: 2; grid-column: 1 / -1; block-size: 1.125rem; }
  .bar-row .bar-label { padding-block-start: 0.375rem; }
}
`;
