import { env } from "cloudflare:workers";
import { addDays } from "@tidemark/testing/oracle-calendar";
import type { OracleEvent } from "@tidemark/testing/oracle-usage";
import type { ReportAnswer } from "@tidemark/testing/report-oracle";
import { reportPath } from "@tidemark/testing/report-path";
import { createTenant, type Tenant } from "@tidemark/testing/tenant";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { callPlatform, requestPlatform } from "../test/call-platform.ts";
import { clockedPipeline, storeAll } from "../test/clocked-pipeline.ts";

// The table that support and sales people read, with every case that it tells apart: through the whole platform,
// with the clock in our hands.

// Ahead of the real clock, so that no alarm rings but those that the pipeline rings.
const NOW = Date.parse("2032-05-16T13:44:00Z");
const HALFWAY = "2032-04-16";

/** What a customer used: so much on each of some days, and the rest of the total with the last call. */
interface Usage {
  readonly total: number;
  readonly last_call_at: string;
  /** Days with calls before that of the last one, and what each has. */
  readonly days: number;
  readonly daily: number;
  /** On each of the 30 days before those that the table shows. */
  readonly before: number;
}

const CUSTOMERS: Readonly<Record<string, Usage>> = {
  acme_corp: { total: 18_420_000, last_call_at: "2032-05-16T13:42:00Z", days: 29, daily: 614_000, before: 600_000 },
  wayne_ent: { total: 9_842_000, last_call_at: "2032-05-16T13:41:00Z", days: 29, daily: 328_000, before: 240_000 },
  stark_ind: { total: 6_210_000, last_call_at: "2032-05-14T10:18:00Z", days: 27, daily: 221_000, before: 221_000 },
  umbrella_co: { total: 4_810_000, last_call_at: "2032-05-16T13:29:00Z", days: 29, daily: 160_000, before: 160_000 },
  initech_llc: { total: 180_000, last_call_at: "2032-05-04T10:00:00Z", days: 7, daily: 2_000, before: 0 },
  hooli_inc: { total: 120_000, last_call_at: "2032-05-16T09:00:00Z", days: 29, daily: 4_000, before: 8_000 },
  globex_co: { total: 90_000, last_call_at: "2032-05-16T13:43:30Z", days: 9, daily: 9_000, before: 0 },
};

/** The table as it has to come out, with the rules' numbers. */
const TABLE = [
  [
    "acme_corp",
    "18420000",
    30,
    "2 min ago",
    "●",
    "steady",
    "Up 2.3% on the equal period before; less than 30% is steady.",
  ],
  [
    "wayne_ent",
    "9842000",
    30,
    "3 min ago",
    "▲",
    "growing",
    "Up 36.6% on the equal period before; 30% or more is growing.",
  ],
  [
    "stark_ind",
    "6210000",
    28,
    "2 days ago",
    "★",
    "check in",
    "No event for 51 hours after being active on 28 of 30 days; from 80% of the days, 36 hours are a reason to ask.",
  ],
  ["umbrella_co", "4810000", 30, "15 min ago", "●", "steady", "The same as in the equal period before."],
  ["initech_llc", "180000", 8, "12 days ago", "★★", "dormant", "No event for 12 days; 7 days of silence are dormant."],
  [
    "hooli_inc",
    "120000",
    30,
    "4 hours ago",
    "▼",
    "declining",
    "Down 50% on the equal period before; 30% or more is declining.",
  ],
  ["globex_co", "90000", 10, "just now", "◆", "new", "The first event was 9 days ago; a customer is new for 14 days."],
] as const;

const QUESTION = { metric: "api_calls", days: 30, limit: 20 };
let tenant: Tenant;

beforeAll(async () => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
  const pipeline = clockedPipeline(Date.parse(HALFWAY) - 30 * 86_400_000);
  tenant = await createTenant(env, "seeds");
  // At very high rates, gateways send the sum of some seconds as one event.
  await callPlatform(tenant.keys.admin, "POST /v1/metrics", {
    name: "API calls",
    unit: "calls",
    event_matchers: [{ event: "api_request" }],
    aggregation: "sum",
    value_property: "calls",
  });
  const events = Object.entries(CUSTOMERS).flatMap(([customer, usage]) => eventsOf(customer, usage));
  for (const [from, to] of [
    [0, Date.parse(HALFWAY) + 86_400_000],
    [Date.parse(HALFWAY) + 86_400_000, NOW],
  ] as const) {
    // Stored two seconds later.
    pipeline.now = to - 2_000;
    const happened = events.filter(({ timestamp }) => timestamp >= from && timestamp < to);
    pipeline.send(tenant.projectId, happened);
    await storeAll(pipeline);
  }
});
afterAll(() => {
  vi.useRealTimers();
});

function eventsOf(customer: string, { total, last_call_at, days, daily, before }: Usage): readonly OracleEvent[] {
  const lastDay = last_call_at.slice(0, 10);
  const event = (at: string, calls: number): OracleEvent => ({
    id: at,
    event: "api_request",
    customer_id: customer,
    timestamp: Date.parse(at),
    properties: { calls },
  });
  const earlier = before === 0 ? [] : Array.from({ length: 30 }, (_, day) => addDays(HALFWAY, -day));
  const shown = Array.from({ length: days }, (_, day) => addDays(lastDay, -day - 1));
  return [
    ...earlier.map((day) => event(`${day}T12:00:00Z`, before)),
    ...shown.map((day) => event(`${day}T12:00:00Z`, daily)),
    event(last_call_at, total - days * daily),
  ];
}

test("the ranking has the table's customers in its order, with its words and the rules' numbers", async () => {
  const { data } = await callPlatform<Extract<ReportAnswer, { readonly report: "top-customers" }>>(
    tenant.keys.read,
    `GET ${reportPath({ report: "top-customers", params: QUESTION })}`,
  );
  expect(data.map(({ customer_id, total, active_days, trend }) => [customer_id, total, active_days, trend])).toEqual(
    TABLE.map(([customer, total, days, , , word]) => [customer, total, days, word.replace(" ", "_")]),
  );
  expect(data.map(({ trend_detail }) => trend_detail.rule)).toEqual(TABLE.map(([, , , , , , rule]) => rule));
  expect(data.map(({ last_seen_at }) => last_seen_at)).toEqual(
    Object.values(CUSTOMERS).map(({ last_call_at }) => last_call_at),
  );
  const shown = Object.values(CUSTOMERS).map(({ total }) => String(total));
  const sums = data.map(({ series }) => String(series.reduce((sum, { value }) => sum + BigInt(value), 0n)));
  expect(sums).toEqual(shown);
});

test("the published page shows it to whoever has the link: the icons, the words, how long ago, and the rules", async () => {
  const { public_url } = await callPlatform<{ readonly public_url: string }>(
    tenant.keys.admin,
    "POST /v1/publications",
    { report: "top-customers", params: QUESTION, title: "Top 20 API customers (30d)" },
  );
  const { pathname, search } = new URL(public_url);
  const text = textOf(await (await requestPlatform(null, `GET ${pathname}${search}`)).text());
  for (const [index, [customer, total, days, ago, icon, word, rule]] of TABLE.entries()) {
    const [row = ""] = new RegExp(` ${index + 1} ${customer} .*?${escape(rule)}`).exec(text) ?? [];
    expect(row).toContain(` ${BigInt(total).toLocaleString("en-US")} ${days} of 30 ${ago} ${icon} ${word} `);
  }
  const rules = [
    "◆ new the first event is less than 14 days old",
    "★★ dormant no event for 7 days or more",
    "★ check in no event for 36 hours or more after being active on at least 80% of the days, " +
      "or the last 7 days at 50% or less of the 7 days before",
    "▲ growing up 30% or more on the equal period before",
    "▼ declining down 30% or more on the equal period before",
    "● steady none of these",
  ];
  expect(text).toContain(rules.join(" "));
});

function escape(text: string): string {
  return text.replaceAll(/[.?]/g, "\\$&");
}

/** What a page says, without its markup. */
function textOf(html: string): string {
  return html
    .replaceAll(/<(style|script|svg)\b.*?<\/\1>/gs, " ")
    .replaceAll(/<[^>]*>/g, " ")
    .replaceAll(/\s+/g, " ");
}
