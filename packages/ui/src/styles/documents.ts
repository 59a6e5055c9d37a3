/** Pages that are read: start, messages, errors, reference. */
export const DOCUMENT_STYLES = `
.message { max-inline-size: 46rem; }
.home { max-inline-size: 52rem; }
.problems, .reference { max-inline-size: 62rem; }
.message p, .home p, .problems > p, .reference p { text-wrap: pretty; }
.message > * + *, .problems > * + * { margin-block-start: 1rem; }
.message h1 { margin-block-start: 0.25rem; }
.message h2 { margin-block-start: 2rem; }
.message h2 + p { margin-block-start: 0.25rem; }
.message footer, .problems footer, .reference > footer { margin-block-start: 3rem; padding-block-start: 1rem; border-block-start: 1px solid var(--line); }
.problems footer { display: flex; justify-content: space-between; }
.status, .request-id { color: var(--soft); font-weight: 600; }
.links { list-style: none; padding: 0; display: grid; gap: 0.5rem; }
.links a { display: inline-block; min-block-size: 1.5rem; font-weight: 600; margin-inline-end: 0.5rem; }
.home > header { display: grid; gap: 1rem; margin-block-end: 2.5rem; }
.lead { font-size: 1.0625rem; color: var(--soft); }
.steps { list-style: none; padding: 0; counter-reset: step; display: grid; gap: 1rem; margin-block-end: 2.5rem; }
.steps > li { counter-increment: step; display: grid; gap: 0.75rem; padding: 1.25rem; background: var(--paper); border: 1px solid var(--line); border-radius: 0.75rem; }
.steps h2::before { content: counter(step); content: counter(step) / ""; display: inline-grid; place-items: center; inline-size: 1.625rem; block-size: 1.625rem; margin-inline-end: 0.625rem; border-radius: 50%; background: var(--accent); color: var(--paper); font-size: 0.875rem; }
.steps > li > div { color: var(--soft); }
.steps pre { color: var(--ink); }
.steps > li > div pre { margin-block-start: 0.75rem; }
.problems table { font-size: 0.875rem; }
.problems th, .problems td { padding: 0.5rem 0.75rem; border-block-end: 1px solid var(--line); vertical-align: baseline; }
.problems thead { color: var(--soft); }
.problems tbody th { white-space: nowrap; }
.problems tbody a { display: inline-block; min-block-size: 1.5rem; }
.reference > * + * { margin-block-start: 2rem; }
.reference header p { margin-block-start: 0.75rem; }
.reference nav { display: grid; grid-template-columns: repeat(auto-fill, minmax(16rem, 1fr)); gap: 1.5rem; }
.reference nav ul { list-style: none; padding: 0; margin-block-start: 0.375rem; font-family: var(--mono); font-size: 0.8125rem; }
.reference nav a { display: block; padding-block: 0.1875rem; text-decoration: none; overflow-wrap: anywhere; }
.reference nav a:hover { text-decoration: underline; }
.method { display: inline-block; min-inline-size: 3.25rem; font: 600 0.75rem var(--mono); color: var(--soft); }
.group > p { margin-block: 0.25rem; color: var(--soft); }
.operation { margin-block-start: 0.75rem; background: var(--paper); border: 1px solid var(--line); border-radius: 0.75rem; }
.operation > summary { padding: 0.75rem 1.25rem; display: flex; flex-wrap: wrap; gap: 0.125rem 1rem; align-items: baseline; justify-content: space-between; color: var(--soft); }
.operation h3 { color: var(--ink); }
.operation > div { padding: 0 1.25rem 1.25rem; scroll-margin-block-start: 4.5rem; display: grid; gap: 0.75rem; grid-template-columns: minmax(0, 1fr); }
.operation h4 { margin-block-start: 0.75rem; }
.operation h4 span { font-weight: 400; color: var(--soft); }
.fields { display: grid; border-block-start: 1px solid var(--line); }
.fields > div { display: grid; grid-template-columns: minmax(10rem, 1fr) 2fr; gap: 0.25rem 1rem; padding-block: 0.5rem; border-block-end: 1px solid var(--line); }
.fields dt span { font-size: 0.75rem; color: var(--warn); }
.fields .type { font-size: 0.8125rem; color: var(--soft); overflow-wrap: anywhere; }
.answers { list-style: none; padding: 0; display: grid; gap: 0.25rem; }
@container (max-width: 40rem) {
  .fields > div { grid-template-columns: minmax(0, 1fr); }
  .problems table, .problems tbody { display: block; }
  .problems thead { display: none; }
  .problems tr { display: grid; grid-template-columns: auto 1fr; gap: 0.125rem 0.75rem; padding-block: 0.75rem; border-block-end: 1px solid var(--line); }
  .problems th, .problems td { padding: 0; border: 0; text-align: start; grid-column: 1 / -1; }
  .problems tr > :first-child { grid-column: 1; }
  .problems tr > th { grid-column: 2; }
}
`;
