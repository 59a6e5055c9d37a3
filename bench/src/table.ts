import { type Figure, isMet } from "./figure.ts";

const HEAD = ["figure", "ours", "rival or bare", "ratio", "goal", "met"];
/** Columns of words; the others are numbers and stand to the right. */
const WORDS = new Set([0, 5]);

/** The figures as one table. */
export function renderFigures(figures: readonly Figure[]): string {
  return renderTable(HEAD, figures.map(toRow), WORDS);
}

/** Rows under a head, in columns as wide as they need to be. */
export function renderTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  words: ReadonlySet<number> = new Set([0]),
): string {
  const widths = head.map((title, column) => Math.max(title.length, ...rows.map((row) => (row[column] ?? "").length)));
  const line = (cells: readonly string[]): string =>
    widths
      .map((width, column) =>
        words.has(column) ? (cells[column] ?? "").padEnd(width) : (cells[column] ?? "").padStart(width),
      )
      .join("  ")
      .trimEnd();
  return [line(head), widths.map((width) => "-".repeat(width)).join("  "), ...rows.map(line)].join("\n");
}

function toRow(figure: Figure): readonly string[] {
  const met = isMet(figure);
  const verdict = met === undefined ? "" : met ? "yes" : "NO";
  return [figure.name, figure.ours, figure.rival, figure.ratio?.toFixed(2) ?? "", figure.goal?.text ?? "", verdict];
}
