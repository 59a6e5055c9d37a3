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
  incomplete_from: "2026-11-21T00:00:00Z",
  as_of: "2026-11-21T15:30:00Z",
  approximate: false,
  overflow: false,
  rows_estimated: 10,
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
      summary: "3 rows by customer, of which 2 are shown.",
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
      summary: "One row by day of week, day.",
      columns: [{ title: "Day of week" }, { title: "day" }, { title: "Events" }],
      rows: [["Sunday", "free", "0"]],
      chart: null,
    });
  });

  test.each([
    [{ value: "7" }, "API calls: 7 calls."],
    [{ value: null }, "API calls: there is nothing to measure."],
  ])("without groups says %j in a sentence", (values, summary) => {
    const columns = ANSWER.columns.slice(1, 2);
    expect(toQueryTable({ ...ANSWER, columns, data: [{ group: {}, values }] }).summary).toBe(summary);
  });
});
