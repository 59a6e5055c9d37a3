/** The customers' table, its cards in a narrow place, the trend badges and the daily figures. */
export const TABLE_STYLES = `
.number { text-align: end; white-space: nowrap; }
.top-customers thead .number { white-space: normal; }
.top-customers th, .top-customers td { padding: 0.625rem 0.75rem; vertical-align: middle; }
.top-customers thead th { font-size: 0.8125rem; color: var(--soft); font-weight: 500; vertical-align: bottom; border-block-end: 1px solid var(--strong-line); }
.top-customers thead small { display: block; font-size: 0.75rem; white-space: nowrap; }
.top-customers tbody tr + tr > * { border-block-start: 1px solid var(--line); }
.top-customers tbody tr:hover { background: color-mix(in srgb, var(--accent) 4%, transparent); }
.top-customers tr > :first-child { padding-inline-start: 1.25rem; }
.top-customers tr > :last-child { padding-inline-end: 1.25rem; }
.top-customers td > small, .customer small { display: block; line-height: 1.35; }
.top-customers td.number > small { white-space: nowrap; }
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
.top-customers tr > .seen { padding-inline-start: 1.5rem; white-space: nowrap; }
.trend-cell { inline-size: 18%; }
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
  .top-customers tr:nth-child(n) > * { padding-inline: 0.5rem; }
  .top-customers tr:nth-child(n) > :last-child { padding-inline-end: 1.25rem; }
  .top-customers thead small { white-space: normal; }
}
@container (max-width: 46rem) {
  .top-customers, .top-customers tbody { display: block; }
  .top-customers thead { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); }
  .top-customers tbody tr { display: grid; grid-template-columns: auto 1fr 1fr; gap: 0.5rem 0.75rem; padding: 1rem 1.25rem; align-items: end; }
  .top-customers tbody tr + tr { border-block-start: 1px solid var(--line); }
  .top-customers tbody tr:nth-child(n) > * { display: block; padding: 0; border: 0; text-align: start; inline-size: auto; min-inline-size: 0; grid-column: 2; }
  .top-customers tbody tr:nth-child(n) > .rank { grid-column: 1; align-self: start; min-inline-size: 1.25rem; }
  .top-customers tbody tr:nth-child(n) > :is(.customer, .trend-cell) { grid-column: 2 / -1; }
  .top-customers tbody tr:nth-child(n) > :is(.days, .seen) { grid-column: 3; }
  .top-customers .days { grid-row: 2; }
  .top-customers .mini-bars { max-inline-size: none; min-inline-size: 0; block-size: 2.25rem; }
  .customer > bdi { font-size: 1.0625rem; line-height: 1.4; }
  .top-customers td[data-label]::before { content: attr(data-label); content: attr(data-label) / ""; font-size: 0.75rem; color: var(--soft); margin-inline-end: 0.5rem; }
  .top-customers td:is(.total, .days)::before { display: block; }
  .top-customers tbody tr:nth-child(n) > .trend-cell { display: flex; align-items: baseline; }
  .top-customers td.number > small { white-space: normal; }
  .daily bdi { max-inline-size: 8rem; }
}
`;
