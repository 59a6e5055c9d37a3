/** The customers' table, its cards in a narrow place, the trend badges and the daily figures. */
export const TABLE_STYLES = `
.number { text-align: end; white-space: nowrap; }
.report-table thead .number { white-space: normal; }
.report-table th, .report-table td { padding: 0.625rem 0.75rem; vertical-align: middle; }
.report-table thead th { font-size: 0.8125rem; color: var(--soft); font-weight: 500; vertical-align: bottom; border-block-end: 1px solid var(--strong-line); }
.report-table thead small { display: block; font-size: 0.75rem; white-space: nowrap; }
.report-table tbody tr + tr > * { border-block-start: 1px solid var(--line); }
.report-table tbody tr:hover { background: color-mix(in srgb, var(--accent) 4%, transparent); }
.report-table tr > :first-child { padding-inline-start: 1.25rem; }
.report-table tr > :last-child { padding-inline-end: 1.25rem; }
.report-table td > small, .customer small { display: block; line-height: 1.35; }
.report-table td.number > small { white-space: nowrap; }
.rank { color: var(--soft); text-align: end; inline-size: 2.5rem; }
.customer { inline-size: 26%; }
.customer bdi { display: -webkit-box; -webkit-box-orient: vertical; -webkit-line-clamp: 2; overflow: hidden; overflow-wrap: anywhere; }
.customer bdi, .bar-label { text-align: left; }
.customer > bdi { font-weight: 600; min-inline-size: 8rem; }
.customer small bdi { -webkit-line-clamp: 1; }
.total data { font-weight: 600; font-size: 1.0625rem; }
.trend { display: inline-flex; gap: 0.375rem; align-items: baseline; white-space: nowrap; padding: 0.0625rem 0.5rem; border-radius: 1rem; font-size: 0.8125rem; font-weight: 500; line-height: 1.5; color: var(--soft); background: var(--code); }
.trend > span { font-size: 0.9375em; letter-spacing: -0.05em; }
.trend-growing { color: var(--good); background: var(--good-tint); }
.trend-check_in { color: var(--warn); background: var(--warn-tint); }
.trend-declining, .trend-dormant { color: var(--bad); background: var(--bad-tint); }
.trend-new { color: var(--info); background: var(--info-tint); }
.report-table tr > .seen { padding-inline-start: 1.5rem; white-space: nowrap; }
.trend-cell { inline-size: 18%; }
.plain .text { overflow-wrap: anywhere; }
.plain tbody th.text { font-weight: 600; }
.plain .days { inline-size: 26%; }
.share > data { display: block; }
.share-bar { display: block; inline-size: 4.5rem; block-size: 0.25rem; margin-inline-start: auto; }
.report-table .again > * { border-block-start-color: transparent; }
.track { fill: var(--line); }
.arrow { font-size: 0.75em; color: var(--soft); margin-inline-end: 0.25rem; }
.why summary { list-style: none; display: flex; flex-wrap: wrap; align-items: center; gap: 0.125rem 0.5rem; min-block-size: 1.5rem; }
.why summary::-webkit-details-marker { display: none; }
.why .change { font-size: 0.8125rem; color: var(--soft); }
.why summary:hover .change, .why summary:hover .trend { text-decoration: underline dotted; text-underline-offset: 0.2em; }
.why p { font-size: 0.8125rem; color: var(--soft); line-height: 1.4; margin-block-start: 0.375rem; max-inline-size: 22rem; }
.daily > summary { padding: 0.875rem 1.25rem; font-weight: 600; }
.scroller { overflow: auto; max-block-size: 32rem; }
.daily th, .daily td { padding: 0.375rem 0.75rem; white-space: nowrap; font-size: 0.8125rem; }
.daily thead th { color: var(--soft); border-block: 1px solid var(--line); }
.daily tr > :first-child { position: sticky; inset-inline-start: 0; background: var(--paper); padding-inline-start: 1.25rem; }
.daily tbody th { font-weight: 600; }
.daily bdi { display: block; max-inline-size: 14rem; overflow: hidden; text-overflow: ellipsis; }
@container (max-width: 60rem) {
  .report-table tr:nth-child(n) > * { padding-inline: 0.5rem; }
  .report-table tr:nth-child(n) > :last-child { padding-inline-end: 1.25rem; }
  .plain tr:nth-child(n) > :first-child { padding-inline-start: 1.25rem; }
  .report-table thead small { white-space: normal; }
}
@container (min-width: 46rem) {
  .again > :is(.rank, .customer) > * { clip-path: inset(50%); }
}
@container (max-width: 46rem) {
  .cards, .cards tbody { display: block; }
  .cards thead { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); }
  .cards tbody tr { display: grid; grid-template-columns: auto 1fr 1fr; gap: 0.5rem 0.75rem; padding: 1rem 1.25rem; align-items: end; }
  .cards tbody tr + tr { border-block-start: 1px solid var(--line); }
  .cards tbody tr:nth-child(n) > * { display: block; padding: 0; border: 0; text-align: start; inline-size: auto; min-inline-size: 0; }
  .top-customers tbody tr:nth-child(n) > * { grid-column: 2; }
  .cards tbody tr:nth-child(n) > .rank { grid-column: 1; align-self: start; min-inline-size: 1.25rem; }
  .top-customers tbody tr:nth-child(n) > :is(.customer, .trend-cell) { grid-column: 2 / -1; }
  .top-customers tbody tr:nth-child(n) > :is(.days, .seen) { grid-column: 3; }
  .top-customers .days { grid-row: 2; }
  .cards .mini-bars { max-inline-size: none; min-inline-size: 0; block-size: 2.25rem; }
  .customer > bdi { font-size: 1.0625rem; line-height: 1.4; }
  .cards td[data-label]:not(.rank)::before { content: attr(data-label); content: attr(data-label) / ""; font-size: 0.75rem; color: var(--soft); margin-inline-end: 0.5rem; }
  .cards td:is(.total, .days)::before { display: block; }
  .cards tbody tr:nth-child(n) > .trend-cell { display: flex; align-items: baseline; }
  .cards td.number > small { white-space: normal; }
  .cards.plain tbody tr { grid-template-columns: 1fr 1fr; row-gap: 0; align-items: start; }
  .cards.ranked tbody tr { grid-template-columns: auto 1fr 1fr; }
  .cards.ranked tbody tr:nth-child(n) > .rank { grid-row: 1 / span 12; }
  .cards.plain tbody tr:nth-child(n) > :is(th, .days, .trend-cell) { grid-column: -3 / -1; }
  .cards.plain tbody tr > * + * { margin-block-start: 0.375rem; }
  .cards.plain tbody tr > th { margin-block-start: 0; }
  .cards.plain td[data-label]:not(.rank)::before { display: block; }
  .share-bar { inline-size: 100%; max-inline-size: 8rem; margin-inline-start: 0; }
  .daily bdi { max-inline-size: 8rem; }
}
`;
