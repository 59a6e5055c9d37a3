import fc from "fast-check";
import { expect, test } from "vitest";
import { type Cell, writeCsv, writeNdjson } from "./files.ts";

test.each([
  ["plain", "plain"],
  ["", ""],
  ["a,b", '"a,b"'],
  ['say "hi"', '"say ""hi"""'],
  ["two\nlines", '"two\nlines"'],
  ["=1+1", "'=1+1"],
  ["+1", "'+1"],
  ["-1+1", "'-1+1"],
  ["@A1", "'@A1"],
  ["\t=1", "'\t=1"],
  ["\r=1", '"\'\r=1"'],
  ["-17", "-17"],
  ["-17.5", "-17.5"],
  ["-17e5", "'-17e5"],
  ["--", "'--"],
])("the text %j is written %j", (text, expected) => {
  expect(writeCsv(["c"], [[{ text }]])).toBe(`c\r\n${expected}\r\n`);
});

test("numbers stay numbers and nothing is an empty cell", () => {
  expect(writeCsv(["a", "b", "c"], [[{ number: "-1.5" }, null, { text: "=x" }]])).toBe("a,b,c\r\n-1.5,,'=x\r\n");
});

/** Reads RFC 4180 back, by the book. */
function readCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  for (const [, quoted, plain = "", end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^,\r\n"]*))(,|\r\n)/g)) {
    rows.at(-1)?.push(quoted === undefined ? plain : quoted.replaceAll('""', '"'));
    if (end === "\r\n") rows.push([]);
  }
  rows.pop();
  return rows;
}

test("what is written reads back, and no cell begins a formula", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.string({ unit: "binary" }), fc.string()), { minLength: 1 }), (rows) => {
      const cells = rows.map((row): Cell[] => row.map((text) => ({ text })));
      const read = readCsv(writeCsv(["a", "b"], cells));
      expect(read).toHaveLength(rows.length + 1);
      read.slice(1).forEach((row, index) => {
        row.forEach((cell, at) => {
          const text = rows[index]?.[at] ?? "";
          expect([text, `'${text}`]).toContain(cell);
          if (!/^-?\d+(\.\d+)?$/.test(cell)) expect(cell).not.toMatch(/^[=+\-@\t\r\0]/);
        });
      });
    }),
  );
});

test("NDJSON is a line for each row, whatever is in it", () => {
  const rows = [{ a: "x\ny" }, { a: "\u2028" }];
  const lines = writeNdjson(rows).split("\n");
  expect(lines.pop()).toBe("");
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(rows);
});
