import { join } from "node:path";
import { readAccessLog } from "./access-log.ts";
import type { Platform } from "./platform.ts";

export interface SampleData {
  /** The customer with the most requests. */
  readonly customer: string;
  /** Path and query of the published dashboard. */
  readonly dashboard: string;
}

const LOG = join(import.meta.dirname, "../examples/access.log.gz");
const BATCH = 500;
/** What the demo waits for its events to be counted. */
const COUNTED_MS_MAX = 30_000;

const METRICS = [
  {
    name: "API requests",
    slug: "api_requests",
    description: "Requests to the site, by page, method and status.",
    unit: "requests",
    type: "limit_metered",
    event_matchers: [{ event: "api_request" }],
    aggregation: "count",
    group_by: ["endpoint", "method", "status"],
    segments: [
      { name: "Answered", filters: { and: [{ property: "status", op: "lt", value: 400 }] } },
      { name: "Errors", filters: { and: [{ property: "status", op: "gte", value: 400 }] } },
    ],
    exposed_event_keys: ["method", "endpoint", "status", "bytes"],
  },
  {
    name: "Bytes sent",
    slug: "bytes_sent",
    description: "What the site sent in answer.",
    unit: "bytes",
    event_matchers: [{ event: "api_request" }],
    aggregation: "sum",
    value_property: "bytes",
  },
  {
    name: "Pages seen",
    slug: "pages_seen",
    description: "Different pages that were asked for.",
    unit: "pages",
    event_matchers: [{ event: "api_request" }],
    aggregation: "unique",
    distinct_by: "endpoint",
  },
];

/** What a customer may use that nobody has said anything about. */
const PRODUCT = {
  name: "Free plan",
  slug: "free_plan",
  description: "1,000 requests a month, and no more.",
  kind: "usage",
  metric: "api_requests",
  allowance: { base: "1000", enforcement: "hard" },
  default: true,
};

/**
 * Fills a project through the API, as a user would: three metrics, a product with a limit, 10,000 real requests,
 * a dashboard. Doing it again changes nothing but the dashboard's address.
 *
 * @param lastAt when the latest request happened, in milliseconds.
 */
export async function loadSampleData(
  platform: Platform,
  keys: { readonly admin: string; readonly ingest: string },
  lastAt: number,
): Promise<SampleData> {
  const post = async (path: string, key: string, body: unknown): Promise<unknown> => {
    const response = await fetch(`${platform.url}${path}`, {
      method: "POST",
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      body: JSON.stringify(body),
    });
    const isThere = (path === "/v1/metrics" || path === "/v1/products") && response.status === 409;
    if (!response.ok && !isThere) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
    return response.json();
  };

  for (const metric of METRICS) await post("/v1/metrics", keys.admin, metric);
  await post("/v1/products", keys.admin, PRODUCT);
  const events = readAccessLog(LOG, lastAt);
  for (let i = 0; i < events.length; i += BATCH) await post("/v1/events", keys.ingest, events.slice(i, i + BATCH));
  if (!(await platform.drained(COUNTED_MS_MAX))) console.error("The sample data is still being counted.");
  await untilFlushed(platform, events.length);

  const { public_url } = (await post("/v1/publications", keys.admin, {
    report: "top-customers",
    params: { metric: "api_requests", days: 30, limit: 20 },
    title: "Top 20 API customers",
  })) as { public_url: string };
  const { pathname, search } = new URL(public_url);
  return { customer: busiest(events.map((event) => event.customer_id)), dashboard: pathname + search };
}

/** Meters flush two seconds after a customer's first event; the dashboard should show all of it at once. */
async function untilFlushed({ database }: Platform, events: number): Promise<void> {
  for (const end = Date.now() + COUNTED_MS_MAX; Date.now() < end;) {
    const { results } = await database
      .prepare("SELECT SUM(events) AS events FROM usage_days GROUP BY metric_id")
      .all<{ events: number }>();
    if (results.length === METRICS.length && results.every((row) => row.events >= events)) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

function busiest(customers: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const customer of customers) counts.set(customer, (counts.get(customer) ?? 0) + 1);
  return [...counts].toSorted(([, a], [, b]) => b - a)[0]?.[0] ?? "";
}
