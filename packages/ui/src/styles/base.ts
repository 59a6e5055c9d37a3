/** Colours, type and the elements themselves. Every pair of text and ground is at least 4.5:1 in both themes. */
export const BASE_STYLES = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#f5f7f8, #0c1317);
  --paper: light-dark(#ffffff, #131c22);
  --ink: light-dark(#15232b, #e6edf0);
  --soft: light-dark(#546571, #9fb1bb);
  --line: light-dark(#e1e7ea, #25323a);
  --strong-line: light-dark(#c4ced4, #3a4a54);
  --accent: light-dark(#0c6672, #63c7d2);
  --bar: light-dark(#2f8793, #4ba8b4);
  --rest: light-dark(#a9b8c0, #566873);
  --code: light-dark(#eef2f4, #1b262d);
  --good: light-dark(#17663a, #86d6a4);
  --good-tint: light-dark(#e5f3ea, #14291d);
  --warn: light-dark(#83470a, #f2bd72);
  --warn-tint: light-dark(#fcf0de, #2e2312);
  --bad: light-dark(#9c2a21, #f7a399);
  --bad-tint: light-dark(#fbe9e7, #351b18);
  --info: light-dark(#2b529c, #a5c1f7);
  --info-tint: light-dark(#e8eefa, #18243a);
  --sans: Inter, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", "Liberation Sans", Arial, sans-serif;
  --mono: ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace;
}
[data-theme="light"] { color-scheme: light; }
[data-theme="dark"] { color-scheme: dark; }
*, ::before, ::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; scroll-padding-top: 1rem; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 400 0.9375rem/1.5 var(--sans); font-variant-numeric: tabular-nums; overflow-wrap: break-word; }
h1, h2, h3, h4, p, dl, dd, ol, ul, figure, pre { margin: 0; }
h1 { font-size: clamp(1.5rem, 1.15rem + 1.6vw, 2.125rem); line-height: 1.15; letter-spacing: -0.02em; font-weight: 650; text-wrap: balance; overflow-wrap: anywhere; }
h2 { font-size: 1.0625rem; line-height: 1.3; font-weight: 600; letter-spacing: -0.005em; }
h3, h4 { font-size: 0.9375rem; font-weight: 600; }
.soft { color: var(--soft); }
small { font-size: 0.8125rem; font-weight: 400; color: var(--soft); }
a { color: var(--accent); text-underline-offset: 0.2em; text-decoration-thickness: 1px; }
a:hover { text-decoration-thickness: 2px; }
abbr[title] { text-decoration: none; }
code, pre { font-family: var(--mono); font-size: 0.875em; }
code { overflow-wrap: anywhere; }
pre { padding: 0.875rem 1rem; border-radius: 0.5rem; background: var(--code); white-space: pre-wrap; overflow-wrap: anywhere; line-height: 1.55; }
pre code { font-size: inherit; }
summary { cursor: pointer; }
table { border-collapse: collapse; width: 100%; }
th { font-weight: inherit; text-align: start; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; border-radius: 0.25rem; }
main { display: block; margin-inline: auto; padding: clamp(1.25rem, 4vw, 3rem) clamp(1rem, 4vw, 2.5rem); container-type: inline-size; }
main:focus { outline: none; }
.skip { position: absolute; inset: 0.5rem auto auto 0.5rem; padding: 0.5rem 1rem; border-radius: 0.5rem; background: var(--paper); translate: 0 -200%; }
.skip:focus { translate: 0 0; z-index: 1; }
.unseen { position: absolute; inline-size: 1px; block-size: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.wordmark { display: inline-flex; align-items: center; gap: 0.5rem; font-weight: 600; letter-spacing: -0.01em; }
.wordmark svg { fill: none; stroke: var(--accent); stroke-width: 2; stroke-linecap: round; }
`;
