/** A cell: text, or a number as its exact decimal, or nothing. */
export type Cell = { readonly text: string } | { readonly number: string } | null;

/** What a spreadsheet would take for a formula when a cell begins with it. */
const FORMULA = /^[=+\-@\t\r\n\0]/;
const NUMBER = /^-?\d+(?:\.\d+)?$/;

/**
 * Rows as CSV (RFC 4180). A text that a spreadsheet would run is given a leading apostrophe; numbers
 * stay numbers.
 */
export function writeCsv(header: readonly string[], rows: Iterable<readonly Cell[]>): string {
  const lines = [header.map((name) => writeText(name)).join(",")];
  for (const row of rows) lines.push(row.map(writeCell).join(","));
  return `${lines.join("\r\n")}\r\n`;
}

/** An answer with a file; `name` is made of slugs and dates, never of what people wrote. */
export function fileAnswer(text: string, type: "csv" | "ndjson", name: string): Response {
  const contentType =
    type === "csv" ? "text/csv; charset=utf-8; header=present" : "application/x-ndjson; charset=utf-8";
  return new Response(text, {
    headers: {
      "content-type": contentType,
      "content-disposition": `attachment; filename="${name}.${type}"`,
      vary: "accept",
    },
  });
}

/** Rows as NDJSON: a line of JSON each. */
export function writeNdjson(rows: readonly object[]): string {
  return rows.map((row) => `${JSON.stringify(row)}\n`).join("");
}

function writeCell(cell: Cell): string {
  if (cell === null) return "";
  return "number" in cell ? cell.number : writeText(cell.text);
}

function writeText(text: string): string {
  const safe = FORMULA.test(text) && !NUMBER.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}
