/** Paper, high contrast, less motion. Twenty rows with their chart and rules fit one sheet of A4 or Letter. */
export const PRINT_STYLES = `
@media print {
  @page { margin: 11mm; }
  :root, [data-theme] { color-scheme: light; }
  html { font-size: 10.5px; }
  body, .embed body { background: none; }
  main, .embed main { padding: 0; max-inline-size: none; }
  .published { gap: 0.875rem; }
  .skip, .files, .daily { display: none; }
  .bar-chart, .highlights, .report-table tr { break-inside: avoid; }
  .bar, .hatched, .trend { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  .sheet > header { padding-block-start: 0.75rem; }
  .report-table th, .report-table td { padding-block: 0.1875rem; }
  .customer { max-inline-size: 0; }
  .customer, .customer bdi { white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
  .customer bdi, .customer small { display: inline; }
  .customer small, .report-table td.number small { display: inline; margin-inline-start: 0.375rem; }
  .total data { font-size: inherit; }
  .mini-bars { block-size: 1.375rem; }
  .highlights > div { padding: 0.625rem 1rem; }
  .bar-chart { padding: 0.75rem 1.25rem; }
  .bar-chart figcaption { margin-block-end: 0.375rem; }
  .bar-row svg { block-size: 1.375rem; }
  .plain { font-size: 0.9375rem; line-height: 1.25; }
  .plain .customer { max-inline-size: none; }
  .plain .customer bdi { display: block; max-inline-size: 11rem; min-inline-size: 0; }
  .plain td.number small, .plain .customer small { display: block; margin: 0; font-size: 0.8125rem; line-height: 1.2; }
  .plain tr:nth-child(n) > * { padding-inline: 0.5rem; }
  .column-chart { block-size: 8rem; }
  .rules ul { font-size: 0.8125rem; }
  .rules h2 { margin-block-end: 0.25rem; }
  .rules dl { gap: 0.125rem 2rem; grid-template-columns: 1fr 1fr; }
  .rules dl > div { grid-template-columns: 6.5rem 1fr; gap: 0.5rem; }
  .rules > p { margin-block-start: 0.25rem; }
  .published > footer { gap: 0.5rem; font-size: 0.8125rem; break-inside: avoid; }
  .colophon { padding-block-start: 0.5rem; }
}
@media (forced-colors: active) {
  .bar, .bar.rest { fill: CanvasText; }
  .bar.rest { fill: GrayText; }
  .hatched { stroke: CanvasText; }
  .grid, .baseline { stroke: GrayText; }
  .wordmark svg { stroke: CanvasText; }
  .bar-axis text { fill: CanvasText; }
  .trend { border: 1px solid; }
  .highlights { background: none; }
  .highlights > div { outline: 1px solid CanvasText; }
}
@media (prefers-reduced-motion: no-preference) {
  html { scroll-behavior: smooth; }
  .skip { transition: translate 120ms; }
}
`;
