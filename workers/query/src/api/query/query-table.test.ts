import type { QueryAnswer } from "@tidemark/contract/query-schema";
import { describe, expect, test } from "vitest";
import { toQueryTable } from "./query-table.ts";

const ANSWER: QueryAnswer = {
  metric: "calls",
  name: "API calls",
  unit: "calls",
  time_zone: "UTC",
  from: "2026-11-15T00:00:00Z",
  to: "2026-11-22T00:00:00Z",
  previous_from: "2026-11-08T00:00:00Z",
  conditions: { customers: null, labels: {}, segment: null },
  incomplete_from: "2026-11-21T00:00:00Z",
  as_of: "2026-11-21T15:30:00Z",
  approximate: false,
  overflow: false,
  rows_read: 10,
  total_rows: 3,
  truncated: true,
  columns: [
    { name: "customer", in: "group", key: "customer", kind: "customer" },
    { name: "value", in: "values", key: "value", kind: "quantity" },
    { name: "previous_value", in: "previous", key: "value", kind: "quantity" },
    { name: "change_value", in: "change", key: "value", kind: "change" },
    { name: "last_seen_at", in: "values", key: "last_seen_at", kind: "instant" },
  ],
  data: [
    {
      group: { customer: "acme" },
      name: "Acme",
      values: { value: "12.5", last_seen_at: "2026-11-21T09:00:00Z" },
      previous: { value: "10" },
      change: { value: "0.25" },
    },
    {
      group: { customer: "b" },
      name: null,
      values: { value: "1", last_seen_at: null },
      previous: { value: "0" },
      change: { value: null },
    },
  ],
};

describe("the table of an answer", () => {
  test("has its columns and rows, and says what was left out and how changes are made", () => {
    const table = toQueryTable(ANSWER);
    expect(table).toMatchObject({
      title: "API calls by customer",
      summary: "3 rows by customer from 2026-11-15 to 2026-11-21 (UTC), of which 2 are shown.",
      columns: [
        { key: "customer", title: "Customer", kind: "customer" },
        { key: "value", title: "API calls", hint: "calls", kind: "quantity" },
        { key: "previous_value", title: "API calls before", hint: "calls", kind: "quantity" },
        { key: "change_value", title: "Change", hint: "API calls", kind: "change" },
        { key: "last_seen_at", title: "Last seen", kind: "instant" },
      ],
      rows: [
        [{ customer_id: "acme", name: "Acme" }, "12.5", "10", "0.25", "2026-11-21T09:00:00Z"],
        [{ customer_id: "b", name: null }, "1", "0", null, null],
      ],
      chart: { label: 0, value: 1 },
    });
    expect(table.notes).toHaveLength(3);
  });

  test("names weekdays and labels as people do, and draws no chart of several groups", () => {
    const table = toQueryTable({
      ...ANSWER,
      truncated: false,
      total_rows: 1,
      columns: [
        { name: "day_of_week", in: "group", key: "day_of_week", kind: "text" },
        { name: "label:day", in: "group", key: "label:day", kind: "text" },
        { name: "events", in: "values", key: "events", kind: "count" },
      ],
      data: [{ group: { day_of_week: "7", "label:day": "free" }, values: { events: 0 } }],
    });
    expect(table).toMatchObject({
      title: "API calls by day of week, day",
      summary: "One row by day of week, day from 2026-11-15 to 2026-11-21 (UTC).",
      columns: [{ title: "Day of week" }, { title: "day" }, { title: "Events" }],
      rows: [["Sunday", "free", "0"]],
      chart: null,
    });
  });

  test.each([
    [{ value: "7" }, "API calls: 7 calls from 2026-11-15 to 2026-11-21 (UTC)."],
    [{ value: null }, "API calls: there is nothing to measure from 2026-11-15 to 2026-11-21 (UTC)."],
  ])("without groups says %j in a sentence", (values, summary) => {
    const columns = ANSWER.columns.slice(1, 2);
    expect(toQueryTable({ ...ANSWER, columns, data: [{ group: {}, values }] }).summary).toBe(summary);
  });

  test.each([
    ["2026-11-20T23:00:00Z", "2026-11-21T23:00:00Z", "on 2026-11-21 (Europe/Berlin)"],
    ["2026-10-23T22:00:00Z", "2026-10-25T23:00:00Z", "from 2026-10-24 to 2026-10-25 (Europe/Berlin)"],
    ["2026-11-20T08:00:00Z", "2026-11-20T23:00:00Z", "from 2026-11-20 09:00 to 2026-11-21 00:00 (Europe/Berlin)"],
  ])("says of which time its numbers are: %s – %s", (from, to, span) => {
    const table = toQueryTable({ ...ANSWER, from, to, time_zone: "Europe/Berlin" });
    expect(table.summary).toBe(`3 rows by customer ${span}, of which 2 are shown.`);
    expect(toQueryTable({ ...ANSWER, from, to, time_zone: "Europe/Berlin", data: [] }).summary).toBe(
      `API calls: nothing was counted ${span}.`,
    );
  });

  test("says under which conditions they are, and names no customer", () => {
    const noteOf = (conditions: QueryAnswer["conditions"]) => toQueryTable({ ...ANSWER, conditions }).notes[0];
    expect(noteOf({ customers: 1, labels: {}, segment: null })).toBe("Only events of one customer are counted.");
    expect(noteOf({ customers: 3, labels: { status: ["200", ""], model: "abcdefg".split("") }, segment: "EU" })).toBe(
      "Only events of 3 customers, in the segment EU, with status 200 or (none), with model a or b or c or d or e or 2 more are counted.",
    );
  });

  test.each(["toString", "valueOf", "__proto__", "constructor"])("calls a label %s by its name", (name) => {
    const columns: QueryAnswer["columns"] = [{ name, in: "group", key: name, kind: "text" }];
    const data = [{ group: Object.fromEntries([[name, "x"]]), values: {} }];
    const table = toQueryTable({ ...ANSWER, columns, data });
    expect(table).toMatchObject({
      title: `API calls by ${name}`,
      columns: [{ key: name, title: name }],
      rows: [["x"]],
    });
  });
});
