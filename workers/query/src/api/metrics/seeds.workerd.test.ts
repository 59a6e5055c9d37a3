import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import { describe, expect, test } from "vitest";
import { call, json, makeProject, type TestProject } from "../../../test/fixture.ts";

const NAMED = { name: "API usage", event_matchers: [{ event: "api_request" }] };

async function make(project: TestProject, fields: object, status = 201): Promise<MetricDefinition> {
  return json(project, "POST /v1/metrics", { body: { ...NAMED, aggregation: "count", ...fields }, status });
}

const display = (fields: object) => ({
  display: { interval_days: 30, format: "numeric", currency: null, style: "number", ...fields },
});

describe("what the seeds define can be defined, and is answered as it was given", () => {
  test.each<[feature: string, fields: object]>([
    ["4: a name", { name: "API usage" }],
    ["5: an interval of 7 days", display({ interval_days: 7 })],
    ["5: an interval of 30 days", display({ interval_days: 30 })],
    ["5: an interval of 90 days", display({ interval_days: 90 })],
    ["6: a currency", display({ format: "currency", currency: "USD" })],
    ["7: a sparkline", display({ style: "sparkline" })],
    ["8, 61: a count of events", { aggregation: "count" }],
    ["9, 62: the sum of a property", { aggregation: "sum", value_property: "tokens" }],
    ["10-12: api_request or api_call", { event_matchers: [{ event: "api_request" }, { event: "api_call" }] }],
    ["13, 14: status = 200", { filters: { and: [{ property: "status", op: "equals", value: 200 }] } }],
    [
      "16: revenue, as a currency",
      {
        aggregation: "sum",
        value_property: "amount",
        decimal_places: 2,
        ...display({ format: "currency", currency: "EUR" }),
      },
    ],
    ["40: a slug", { slug: "api-usage" }],
    ["41: a description", { description: "Every call to the API." }],
    ["43: a unit", { unit: "requests" }],
    ["45: a monthly quota that resets", { type: "limit_metered" }],
    ["46: prepaid credits that carry over", { type: "limit_recurring" }],
    ["47: pay per use", { type: "charge_metered" }],
    ["48: a total that never resets", { type: "charge_recurring" }],
    ["51, 52: a maximum", { aggregation: "max", value_property: "disk.gb" }],
    ["51, 52: a minimum", { aggregation: "min", value_property: "disk.gb" }],
    ["51, 53: a distinct count", { aggregation: "unique", distinct_by: "user_id" }],
    ["54: labels", { group_by: ["region", "plan", "customer_id"] }],
    ["64: event types", { event_matchers: [{ event: "api_calls" }, { event: "storage" }, { event: "users" }] }],
    [
      "66: filters of and, or",
      {
        filters: {
          and: [
            { property: "status", op: "gte", value: 200 },
            { property: "status", op: "lt", value: 300 },
            {
              or: [
                { property: "region", op: "equals", value: "eu" },
                { property: "plan", op: "in", value: ["pro"] },
              ],
            },
          ],
        },
      },
    ],
    ["67: exposed event keys", { exposed_event_keys: ["endpoint", "method"] }],
    ["68: values below zero", { allow_negative: true }],
    ["69: an interval of 2 weeks", { default_interval: { count: 2, period: "weeks" } }],
    ["69: an interval of a year", { default_interval: { count: 1, period: "years" } }],
    [
      "70-72: named filters, each a line with its colour",
      {
        segments: [
          { name: "Europe", color: "blue", filters: { and: [{ property: "region", op: "equals", value: "eu" }] } },
          {
            name: "Paid",
            color: "orange",
            filters: { or: [{ property: "plan", op: "in", value: ["pro", "enterprise"] }] },
          },
        ],
      },
    ],
  ])("%s", async (_feature, fields) => {
    const project = await makeProject();
    const made = await make(project, fields);
    expect(made).toMatchObject(fields);
    expect(await json(project, `GET /v1/metrics/${made.slug}`)).toMatchObject(fields);
  });

  test.each<[feature: string, fields: object]>([
    ["5: an interval of 14 days", display({ interval_days: 14 })],
    ["6: a currency without its code", display({ format: "currency" })],
    ["9: a sum of nothing", { aggregation: "sum" }],
    ["9: a property for a count", { value_property: "tokens" }],
    ["53: a distinct count of nothing", { aggregation: "unique" }],
    ["66: a filter by a pattern", { filters: { and: [{ property: "path", op: "regex", value: "^/v1" }] } }],
  ])("and what means nothing cannot: %s", async (_feature, fields) => {
    await make(await makeProject(), fields, 400);
  });
});

test("a metric is made, listed, changed and deleted (features 25-29, 79-82)", async () => {
  const project = await makeProject();
  await make(project, { name: "Storage GB", aggregation: "max", value_property: "gb", unit: "GB" });
  const { data } = await json<{ data: MetricDefinition[] }>(project, "GET /v1/metrics");
  expect(data).toMatchObject([{ name: "Storage GB", slug: "storage_gb", aggregation: "max", type: "charge_metered" }]);
  expect(data[0]?.updated_at).toMatch(/Z$/);
  const change = { name: "Disk", type: "limit_metered" };
  expect(await json(project, "PATCH /v1/metrics/storage_gb", { body: change })).toMatchObject(change);
  await json(project, "POST /v1/products", { body: { name: "Seats", kind: "seat" }, status: 201 });
  expect(await json(project, "GET /v1/metrics/storage_gb")).toMatchObject({ ...change, products: [] });
  expect((await call(project, "DELETE /v1/metrics/storage_gb")).status).toBe(204);
  expect(await json(project, "GET /v1/metrics")).toEqual({ data: [], next_cursor: null });
});
