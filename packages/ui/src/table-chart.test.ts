import type { ReportTable } from "@tidemark/contract/report-table";
import { expect, test } from "vitest";
import { ColumnChart } from "./charts/column-chart.tsx";
import { render } from "./report-for-tests.ts";
import { toTableChart } from "./table-chart.ts";
import { cells, table, timeTable } from "./table-for-tests.ts";

test("the first eight rows are bars, and the caption says that there are more", () => {
  const chart = toTableChart(table());
  expect(chart).toMatchObject({ kind: "bars", title: "Used by customer", caption: "requests; the first 8 of 20" });
  expect(chart?.bars).toHaveLength(8);
  expect(chart?.bars[0]).toEqual({ label: "Customer 1", value: "17719999" });
});

test("the picture is told in words: what it compares, and its first values", () => {
  expect(toTableChart(table())?.summary).toBe(
    "Used by customer: \u2068Customer 1\u2069 17.7M, \u2068Customer 2\u2069 17M, \u2068Customer 3\u2069 16.3M.",
  );
});

test("rows along time are columns, all of them, told by their ends and their highest", () => {
  const chart = toTableChart(timeTable());
  expect(chart).toMatchObject({ kind: "columns", caption: "requests; dashed is not over" });
  expect(chart?.bars).toHaveLength(30);
  expect(chart?.summary).toBe(
    "API requests by day: \u206823 Oct\u2069 1K to \u206821 Nov\u2069 1.15K, the highest \u206828 Oct\u2069 1.9K.",
  );
});

test.for<readonly [string, Partial<ReportTable>]>([
  ["a table without one", { chart: null }],
  ["one row", { rows: [cells()] }],
  ["zeros", { rows: [cells().with(2, "0"), cells(2).with(2, "0")] }],
  ["nothing known", { rows: [cells().with(2, null), cells(2).with(2, null)] }],
])("there is no chart of %s", ([, over]) => {
  expect(toTableChart(table(over))).toBeUndefined();
});

test("rows along time that are newest first are drawn from the oldest on", () => {
  const forwards = toTableChart(timeTable());
  const { rows } = timeTable();
  const backwards = toTableChart({ ...timeTable(), rows: rows.toReversed() });
  expect([backwards?.bars, backwards?.summary]).toEqual([forwards?.bars, forwards?.summary]);
});

test.for<readonly [key: string, labels: readonly string[], kind: string]>([
  ["day", ["2026-11-20", "2026-11-03", "2026-11-21"], "bars"],
  ["hour_of_day", ["8", "9", "10", "11"], "columns"],
  ["hour_of_day", ["9", "10", "8"], "bars"],
  ["day_of_week", ["Monday", "Tuesday", "Sunday"], "columns"],
  ["day_of_week", ["Sunday", "Saturday", "Monday"], "columns"],
  ["day_of_week", ["Friday", "Monday", "Tuesday"], "bars"],
  ["label:day", ["2026-11-20", "2026-11-21"], "bars"],
  ["constructor", ["2026-11-20", "2026-11-21"], "bars"],
])("a ranking is no course of anything: %s of %j is %s", ([key, labels, kind]) => {
  const columns = [{ key, title: "When", kind: "text" } as const, ...timeTable().columns.slice(1)];
  expect(toTableChart({ ...timeTable(), columns, rows: labels.map((label) => [label, "7"]) })?.kind).toBe(kind);
});

test("a place in time without a value stays, empty, and the ends are those that were measured", async () => {
  const rows = timeTable(5).rows.map((row, index) => (index % 2 === 0 ? row.with(1, null) : row));
  const chart = toTableChart({ ...timeTable(5), rows });
  expect(chart?.bars.map(({ value }) => value === null)).toEqual([true, false, true, false, true]);
  expect(chart?.summary).toMatch(/: \u206818 Nov\u2069 [^ ]+ to \u206820 Nov\u2069 /);
  if (chart?.kind !== "columns") throw new Error("no columns");
  const drawn = await render(ColumnChart, { chart });
  expect([...drawn.matchAll(/<rect class="bar[^>]* x="([^"]*)"/g)].map(([, x]) => x)).toEqual(["20%", "60%"]);
});

test("rows without a value are left out, and others stay", () => {
  const rows = [cells(), cells(2).with(2, null), cells(3)];
  expect(toTableChart(table({ rows }))?.bars.map(({ label }) => label)).toEqual(["Customer 1", "Customer 3"]);
});

test.for([
  [4, "0.3427", "34%"],
  [5, "-0.051", "−5.1%"],
  [3, "1234", "1,234"],
] as const)("values of column %i are written as they are in the table", ([value, text, shown]) => {
  expect(toTableChart(table({ chart: { label: 1, value } }))?.format(text)).toBe(shown);
});

test.for([
  ["day", ["2026-11-20", "2026-11-21", "2026-11-22"], [false, false, true]],
  ["hour", ["2026-11-21T22:00:00Z", "2026-11-21T23:00:00Z", "2026-11-22T00:00:00Z"], [false, true, false]],
  ["week", ["2026-11-09", "2026-11-16", "2026-11-23"], [false, true, false]],
  ["month", ["2026-10", "2026-11"], [false, true]],
  ["hour_of_day", ["0", "23"], [false, false]],
] as const)(
  "the %s that goes on when the figures are read is marked, in the zone of the table",
  ([key, labels, open]) => {
    const columns = [
      { key, title: "When", kind: "text" },
      { key: "value", title: "Used", kind: "quantity" },
    ] as const;
    const rows = labels.map((label) => [label, "1"]);
    const chart = toTableChart(
      table({
        columns,
        rows,
        chart: { label: 0, value: 1 },
        as_of: "2026-11-21T23:30:00Z",
        time_zone: "Europe/Berlin",
      }),
    );
    expect(chart?.bars.map((bar) => "open" in bar && bar.open)).toEqual(open);
  },
);
