import { env } from "cloudflare:workers";
import { CustomerYear, isRefunding, nameOf } from "@tidemark/testing/customer-year";
import { type OracleEvent, type OracleMetric, withoutRepeats } from "@tidemark/testing/oracle-usage";
import type { PipelineHarness } from "@tidemark/testing/pipeline-harness";
import {
  type OracleLimit,
  type ReportAnswer,
  ReportOracle,
  type ReportQuestion,
} from "@tidemark/testing/report-oracle";
import { reportPath } from "@tidemark/testing/report-path";
import { createTenant, type Tenant } from "@tidemark/testing/tenant";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { callPlatform } from "../test/call-platform.ts";
import { clockedPipeline, storeAll } from "../test/clocked-pipeline.ts";

// Ahead of the real clock, so that no alarm rings but those that the pipeline rings. A leap year.
const START = Date.UTC(2032, 0, 1);
const CUSTOMERS = 200;
/** Events of a message in the queue. */
const MESSAGE_EVENTS = 300;
const ZONES = ["UTC", "America/New_York"];

/** When what has happened is sent: events are counted for 35 days. */
const SENDINGS = [
  "2032-01-25T00:00Z",
  "2032-02-20T15:30Z",
  "2032-03-16T03:20Z",
  "2032-04-12T00:00Z",
  "2032-05-09T00:00Z",
  "2032-06-04T00:00Z",
  "2032-07-01T18:45Z",
  "2032-07-30T00:00Z",
  "2032-08-28T00:00Z",
  "2032-09-20T00:00Z",
  "2032-10-14T00:00Z",
  "2032-11-09T04:10Z",
  "2032-12-05T00:00Z",
  "2032-12-31T23:40Z",
].map((text) => Date.parse(text));
/**
 * When reports are looked at. New York's clocks change on 14 March and 7 November; when it is early morning in UTC,
 * it is the day before there.
 */
const LOOKS = ["2032-02-20T15:30Z", "2032-03-16T03:20Z", "2032-07-01T18:45Z", "2032-11-09T04:10Z", "2032-12-31T23:40Z"];

// Numbers, texts and decimals; statuses that are none; and amounts of which some take back what others used.
const base = { unit: "units", event: "call", labels: ["endpoint", "status"], decimals: 2, property: "amount" } as const;
const METRICS: readonly OracleMetric[] = [
  {
    ...base,
    slug: "calls",
    name: "Calls",
    unit: "calls",
    aggregation: "count",
    property: null,
    decimals: 0,
    allow_negative: false,
  },
  { ...base, slug: "spend", name: "Spend", aggregation: "sum", allow_negative: false },
  { ...base, slug: "balance", name: "Balance", aggregation: "sum", allow_negative: true },
];

/** What some customers may use of a metric in a month; only of what nothing is given back of. */
const LIMITS = Array.from({ length: 60 }, (_, customer) => ({ customer, isCount: customer % 2 === 0 }))
  .filter(({ customer, isCount }) => isCount || !isRefunding(customer))
  .map(({ customer, isCount }) => ({
    customer_id: nameOf(customer),
    metric: isCount ? "calls" : "spend",
    base: isCount ? 20 + customer : 400 + 11 * customer,
  }));

/** Every report, as it is asked of each metric: as it is by itself, and otherwise. */
const QUESTIONS: readonly (readonly [
  report: ReportQuestion["report"],
  params: Readonly<Record<string, string | number>>,
])[] = [
  ["top-customers", { days: 30, limit: 500 }],
  ["top-customers", { days: 7, limit: 20 }],
  ["top-customers", { days: 90, limit: 10 }],
  ["top-customers", { days: 1, limit: 10 }],
  ["growing", { days: 30, limit: 500 }],
  ["growing", { days: 2, limit: 5 }],
  ["growing", { days: 200, limit: 20 }],
  ["dropping", { days: 7, limit: 500 }],
  ["dropping", { days: 90, limit: 20 }],
  ["dormant", { days: 30, limit: 500 }],
  ["near-limit", { days: 30, limit: 500 }],
  ["heavy-labels", { days: 30, limit: 100 }],
  ["heavy-labels", { days: 7, limit: 20, label: "status" }],
  ["hour-of-day", { days: 30, limit: 50 }],
  ["hour-of-day", { days: 1, limit: 100 }],
  ["error-rate", { days: 30, limit: 100 }],
];

let tenant: Tenant;
let pipeline: PipelineHarness;
const year = new CustomerYear({ seed: 1, customers: CUSTOMERS, start: START, days: 366 });
const sent: OracleEvent[] = [];
let sendings = 0;
const names = new Map([
  [nameOf(3), "Wayne Enterprises"],
  [nameOf(8), "Ümbrella & Sons"],
]);
const balanceIds = new Map<string, string>();

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: START });
  pipeline = clockedPipeline(START);
  tenant = await createTenant(env, "year");
  for (const { slug, name, unit, aggregation, property, labels, decimals, allow_negative } of METRICS) {
    const metric = { slug, name, unit, aggregation, value_property: property, group_by: labels, allow_negative };
    const rest = { type: "limit_metered", event_matchers: [{ event: "call" }], decimal_places: decimals };
    await ask("POST /v1/metrics", { ...metric, ...rest });
  }
  const cycle = { anchor: new Date(START).toISOString(), time_zone: "UTC", interval: { count: 1, period: "months" } };
  for (const limit of LIMITS) {
    const { metric, customer_id, base: granted } = limit;
    const body = { metric, base: granted, cycle, late: "reject", enforcement: "soft" };
    const { id } = await ask<{ readonly id: string }>(`POST /v1/customers/${customer_id}/allowances`, body);
    balanceIds.set(`${metric} ${customer_id}`, id);
  }
  await sendNext();
  for (const [customer, name] of names) await ask(`PATCH /v1/customers/${customer}`, { name });
});
afterAll(() => {
  vi.useRealTimers();
});

async function ask<Answer>(target: string, body?: object): Promise<Answer> {
  return callPlatform<Answer>(tenant.keys.admin, target, body);
}

/** Sends what has happened, and has it counted. */
async function sendNext(): Promise<void> {
  const at = SENDINGS[sendings] ?? 0;
  const events = year.until(at, SENDINGS[++sendings] ?? Infinity);
  sent.push(...events);
  pipeline.now = at;
  for (let from = 0; from < events.length; from += MESSAGE_EVENTS)
    pipeline.send(tenant.projectId, events.slice(from, from + MESSAGE_EVENTS));
  await storeAll(pipeline);
}

/** The limits of a metric, in the month that it is. */
function limitsOf(metric: OracleMetric): readonly OracleLimit[] {
  const month = new Date(pipeline.now).getUTCMonth();
  const cycle = { start: Date.UTC(2032, month, 1), end: Date.UTC(2032, month + 1, 1) };
  return LIMITS.filter((limit) => limit.metric === metric.slug).map(({ customer_id, base: granted }) => ({
    customer_id,
    balance_id: balanceIds.get(`${metric.slug} ${customer_id}`) ?? "",
    enforcement: "soft",
    allowance: BigInt(granted) * 10n ** BigInt(metric.decimals),
    cycle,
  }));
}

/** With a version of the catalog that nobody has seen, so that no answer of the zone before is given out again. */
async function moveProjectTo(zone: string): Promise<void> {
  await env.DB.prepare("UPDATE projects SET time_zone = ?, catalog_version = catalog_version + 1 WHERE id = ?")
    .bind(zone, tenant.projectId)
    .run();
}

test.each(LOOKS)("every number of every report is the oracle's on %s", { timeout: 120_000 }, async (at) => {
  while (pipeline.now < Date.parse(at)) await sendNext();
  const events = withoutRepeats(sent);
  for (const time_zone of ZONES) {
    await moveProjectTo(time_zone);
    for (const metric of METRICS) {
      const { now } = pipeline;
      const oracle = new ReportOracle({ events, metric, time_zone, now, names, limits: limitsOf(metric) });
      for (const [report, params] of QUESTIONS) {
        const question = { report, params: { metric: metric.slug, ...params } } as ReportQuestion;
        const answer = await ask<ReportAnswer>(`GET ${reportPath(question)}`);
        expect.soft(answer, `${time_zone} ${JSON.stringify(question)}`).toEqual(oracle.answer(question));
        note(answer);
      }
    }
  }
});

/** What answers have shown: a year without a case would prove nothing of it. */
const shown = new Map<string, Set<string>>();

function note(answer: ReportAnswer): void {
  const cases = shown.get(answer.report) ?? new Set<string>();
  shown.set(answer.report, cases);
  if (answer.data.length > 0) cases.add("somebody");
  if (answer.report === "top-customers") for (const { trend } of answer.data) cases.add(trend);
  if (answer.report === "hour-of-day") for (const { rhythm } of answer.data) cases.add(String(rhythm));
  if (answer.report === "heavy-labels")
    for (const { labels } of answer.data) if (labels.some(({ label }) => label === "(other)")) cases.add("others");
}

test("and the year has a case of each", () => {
  expect(Object.fromEntries(Array.from(shown, ([report, cases]) => [report, [...cases].toSorted()]))).toEqual({
    "top-customers": ["check_in", "declining", "dormant", "growing", "new", "somebody", "steady"],
    growing: ["somebody"],
    dropping: ["somebody"],
    dormant: ["somebody"],
    "near-limit": ["somebody"],
    "heavy-labels": ["others", "somebody"],
    "hour-of-day": ["bursty", "null", "somebody", "steady"],
    "error-rate": ["somebody"],
  });
});
