/** The published report: its head, its first figures, its rules and its foot. */
export const REPORT_STYLES = `
.published { max-inline-size: 78rem; display: grid; gap: 1.5rem; grid-template-columns: minmax(0, 1fr); }
.published > header { display: flex; flex-wrap: wrap; gap: 0.75rem 2rem; justify-content: space-between; align-items: end; padding-block-end: 0.25rem; }
.published > header > div { flex: 1 1 24rem; }
.published > header p { color: var(--soft); margin-block-start: 0.375rem; text-wrap: pretty; overflow-wrap: anywhere; }
.freshness { text-align: end; margin-inline-start: auto; }
.freshness > * { display: block; }
.freshness time { color: var(--ink); }
.freshness.old { padding: 0.5rem 0.75rem; border-radius: 0.5rem; border: 1px solid currentColor; background: var(--warn-tint); color: var(--warn); }
.freshness.old time { color: inherit; font-weight: 600; }
.highlights { display: grid; grid-template-columns: repeat(auto-fit, minmax(10rem, 1fr)); gap: 1px; background: var(--line); border: 1px solid var(--line); border-radius: 0.75rem; overflow: hidden; }
.highlights > div { padding: 1rem 1.25rem; background: var(--paper); }
.highlights dt { color: var(--soft); font-size: 0.8125rem; }
.highlights dd { font-size: 1.75rem; line-height: 1.2; font-weight: 600; letter-spacing: -0.02em; margin-block-start: 0.25rem; }
.highlights small { display: block; letter-spacing: 0; margin-block-start: 0.125rem; }
.sheet, .bar-chart, .daily { background: var(--paper); border: 1px solid var(--line); border-radius: 0.75rem; }
.sheet { container-type: inline-size; overflow-x: auto; padding-block-end: 0.25rem; }
.sheet > header { display: flex; flex-wrap: wrap; gap: 0.25rem 1rem; justify-content: space-between; align-items: baseline; padding: 1.125rem 1.25rem 0; }
.empty { padding: 3rem 1.5rem; max-inline-size: 38rem; margin-inline: auto; text-align: center; color: var(--soft); }
.more { padding: 0.75rem 1.25rem; color: var(--soft); font-size: 0.875rem; }
.empty strong { color: var(--ink); font-size: 1.0625rem; font-weight: 600; }
.empty p + p { margin-block-start: 0.5rem; }
.rules h2 { margin-block-end: 0.75rem; }
.rules dl { display: grid; gap: 0.375rem; }
.rules dl > div { display: grid; grid-template-columns: 7rem 1fr; gap: 0.75rem; align-items: baseline; }
.rules dd, .rules > p { color: var(--soft); }
.rules > p { margin-block-start: 0.75rem; }
.rules ul { padding-inline-start: 1.25rem; color: var(--soft); max-inline-size: 62rem; }
.published > footer { display: grid; gap: 1.5rem; padding-block-start: 0.5rem; font-size: 0.875rem; }
.colophon { display: flex; gap: 0.5rem; align-items: center; color: var(--soft); border-block-start: 1px solid var(--line); padding-block-start: 1rem; }
.colophon .wordmark { color: var(--ink); }
.files { display: flex; gap: 0.75rem; color: var(--soft); font-size: 0.875rem; }
.files a { display: inline-block; min-block-size: 1.5rem; min-inline-size: 1.75rem; }
.embed body { background: var(--paper); }
.embed main { padding: 0.75rem; max-inline-size: none; gap: 1rem; }
.embed h1 { font-size: 1.25rem; }
@container (max-width: 40rem) {
  .freshness { text-align: start; margin-inline-start: 0; }
  .rules dl > div { grid-template-columns: 1fr; gap: 0.125rem; }
  .rules dl { gap: 0.75rem; }
}
`;
