import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { ApiClient, eventually } from "@tidemark/testing/api-client";
import type { OracleEvent, OracleMetric } from "@tidemark/testing/oracle-usage";
import {
  type OracleLimit,
  type ReportAnswer,
  ReportOracle,
  type ReportQuestion,
} from "@tidemark/testing/report-oracle";
import { reportPath } from "@tidemark/testing/report-path";
import { type Server, startServer } from "@tidemark/testing/server";
import { afterAll, beforeAll, expect, test } from "vitest";

const LOG = join(import.meta.dirname, "../../../examples/access.log.gz");
const DAY_MS = 86_400_000;
const BATCH = 500;
/** The log's four days lie this far apart here, so that there is somebody new, dormant, growing and dropping. */
const DAYS_APART = 8;

/** The log's own lines, by a parser that shares nothing with the product: fields between blanks. By time. */
function readLog(): readonly OracleEvent[] {
  const yesterday = Math.floor(Date.now() / DAY_MS) - 1;
  return gunzipSync(readFileSync(LOG))
    .toString("latin1")
    .trimEnd()
    .split("\n")
    .map((line, index) => {
      const [address = "", , , date = "", , , path = ""] = line.split(" ");
      const withoutQuotes = line.replace(/"[^"]*"\s*$/, "").replace(/"[^"]*"\s*$/, "");
      const [status = "", bytes = ""] = (/" (\d.*)$/.exec(withoutQuotes)?.[1] ?? "").trim().split(" ");
      const [day = "", , , hour = "", minute = "", second = ""] = date.slice(1).replaceAll("/", ":").split(":");
      const midnight = (yesterday - DAYS_APART * (20 - Number(day))) * DAY_MS;
      const seconds = Number(hour) * 3_600 + Number(minute) * 60 + Number(second);
      return {
        id: `line-${index}`,
        event: "api_request",
        customer_id: address,
        timestamp: midnight + seconds * 1_000,
        properties: {
          endpoint: path.replace(/\?.*$/, ""),
          status: Number(status),
          bytes: Number(bytes.replace("-", "0")),
        },
      };
    })
    .toSorted((a, b) => a.timestamp - b.timestamp);
}

const of = { event: "api_request", labels: ["endpoint", "status"], decimals: 0, allow_negative: false } as const;
const METRICS: readonly OracleMetric[] = [
  { ...of, slug: "requests", name: "Requests", unit: "requests", aggregation: "count", property: null },
  { ...of, slug: "traffic", name: "Traffic", unit: "bytes", aggregation: "sum", property: "bytes" },
];
const QUESTIONS: readonly (readonly [
  report: ReportQuestion["report"],
  params: Readonly<Record<string, string | number>>,
])[] = [
  ["top-customers", { days: 30, limit: 500 }],
  ["top-customers", { days: 7, limit: 20 }],
  ["growing", { days: 10, limit: 500 }],
  ["dropping", { days: 7, limit: 500 }],
  ["dropping", { days: 9, limit: 20 }],
  ["dormant", { days: 30, limit: 500 }],
  ["near-limit", { days: 30, limit: 50 }],
  ["heavy-labels", { days: 30, limit: 100 }],
  ["heavy-labels", { days: 30, limit: 20, label: "status" }],
  ["hour-of-day", { days: 30, limit: 100 }],
  ["error-rate", { days: 30, limit: 500 }],
];

const events = readLog();
/** In a cycle that began before the log and goes on. */
const cycleStart = (Math.floor(Date.now() / DAY_MS) - 34) * DAY_MS;
const limits = new Map<string, OracleLimit[]>(METRICS.map(({ slug }) => [slug, []]));
let server: Server;
let read: ApiClient;

beforeAll(async () => {
  server = await startServer({ demo: false });
  const admin = new ApiClient(server.url, server.keys.admin);
  read = new ApiClient(server.url, server.keys.read);
  for (const { slug, name, unit, aggregation, property, labels } of METRICS) {
    const value = { aggregation, value_property: property, group_by: labels, type: "limit_metered" };
    await admin.post("/v1/metrics", { slug, name, unit, ...value, event_matchers: [{ event: of.event }] });
  }
  for (const [index, customer_id] of busiest(30).entries()) await limit(admin, customer_id, 120 + 10 * index);
  const batches = Array.from({ length: events.length / BATCH }, (_, i) => events.slice(i * BATCH, (i + 1) * BATCH));
  // In order, and then some of it again.
  for (const batch of [...batches, ...batches.slice(5, 10)]) {
    const sent = batch.map(({ timestamp, ...event }) => ({ ...event, timestamp: new Date(timestamp).toISOString() }));
    expect(await admin.post("/v1/events", sent)).toMatchObject({ accepted: BATCH, rejected: [] });
  }
  const from = new Date(cycleStart).toISOString();
  const counted = await eventually(
    () => read.get<{ data: readonly { value: string }[] }>(`/v1/usage?metric=requests&from=${from}&grain=month`),
    ({ data }) => data.reduce((sum, { value }) => sum + Number(value), 0) >= events.length,
    120_000,
  );
  expect(counted.data.reduce((sum, { value }) => sum + Number(value), 0)).toBe(events.length);
});
afterAll(async () => {
  await server.stop();
});

/** The customers with most requests. */
function busiest(count: number): readonly string[] {
  return [...Map.groupBy(events, ({ customer_id }) => customer_id)]
    .toSorted(([, a], [, b]) => b.length - a.length)
    .slice(0, count)
    .map(([customer]) => customer);
}

async function limit(admin: ApiClient, customer_id: string, base: number): Promise<void> {
  const start = new Date(cycleStart).toISOString();
  const interval = { count: 60, period: "days" };
  const { id } = await admin.post<{ id: string }>(`/v1/customers/${customer_id}/allowances`, {
    metric: "requests",
    base: String(base),
    cycle: { anchor: start, time_zone: "UTC", interval },
  });
  limits.get("requests")?.push({
    customer_id,
    balance_id: id,
    enforcement: "hard",
    allowance: BigInt(base),
    cycle: { start: cycleStart, end: cycleStart + 60 * DAY_MS },
  });
}

test.each(METRICS.flatMap((metric) => QUESTIONS.map(([report, params]) => ({ metric, report, params }))))(
  "$report of $metric.slug with $params is the oracle's, in every field",
  async ({ metric, report, params }) => {
    const question = { report, params: { metric: metric.slug, ...params } } as ReportQuestion;
    const answer = await read.get<ReportAnswer>(reportPath(question));
    const now = Date.parse(answer.as_of);
    const world = { events, metric, time_zone: "UTC", now, names: new Map<string, string>() };
    const oracle = new ReportOracle({ ...world, limits: limits.get(metric.slug) ?? [] });
    expect(answer).toEqual(oracle.answer(question));
    expect(answer.data.length > 0).toBe(metric.slug === "requests" || report !== "near-limit");
  },
);
