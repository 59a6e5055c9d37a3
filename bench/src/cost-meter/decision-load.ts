import { setTimeout as wait } from "node:timers/promises";
import { Tidemark } from "@tidemark/sdk";
import { customerId, type Workload } from "@tidemark/testing/workload";
import type { Counts } from "../counting/counts.ts";
import { DECIDED_METRIC } from "../harness/project.ts";
import type { Ranks } from "../harness/ranks.ts";
import { consumeText, consumeTexts } from "../harness/request-texts.ts";
import { allow } from "../harness/uses.ts";
import { whenFlushed } from "../harness/when-flushed.ts";
import { CUSTOMERS_PER_GROUP, pauseForEviction, type Platform, sendRange, takeCounts } from "./platform.ts";

/** Customers that are made together, and used before their first flush. */
const CHUNK = 100;
/** Beyond what a run can use. */
export const NO_LIMIT = 1_000_000_000;
/** One after another, so that no two share a commit, which they would not pay for. */
const ALONE = 1;
const LEASE_UNITS = 100;
/** How often a process that holds units looks at the clock. */
const TICK_MS = 10;

/** A number of requests in each of some groups; between two of them objects may leave memory. */
export interface Groups {
  readonly groups: number;
  readonly requests: number;
}

/** Gives each customer an allowance, uses one unit of it, and waits for the flush that follows: what they cost, once. */
export async function createCustomers(platform: Platform): Promise<Counts> {
  const { load, url, customers } = platform;
  await load.prepare({ path: "/v1/consume", bodies: consumeTexts({ from: 0, to: customers }, customers) });
  for (let from = 0; from < customers; from += CHUNK) {
    if (from > 0 && from % CUSTOMERS_PER_GROUP === 0) await pauseForEviction(customers);
    await allow(url, { from, to: from + CHUNK }, NO_LIMIT);
    await sendRange(platform, [from, from + CHUNK], { connections: ALONE, round: 1 });
  }
  await whenFlushed(url, customers);
  return takeCounts(platform);
}

/** A consume for each event of the reference workload, one a request. */
export async function consumeDrawn(platform: Platform, drawn: Workload, { groups, requests }: Groups): Promise<Counts> {
  const bodies = Array.from({ length: groups * requests }, () => {
    const { id, customer_id } = nextEvent(drawn);
    return consumeText(id, customer_id);
  });
  await platform.load.prepare({ path: "/v1/consume", bodies });
  await pauseForEviction(platform.customers);
  await takeCounts(platform);
  for (let group = 0; group < groups; group++) {
    if (group > 0) await pauseForEviction(platform.customers);
    await sendRange(platform, [group * requests, (group + 1) * requests], { connections: ALONE, round: 2 });
  }
  return takeCounts(platform);
}

/** Consumes of one customer, one a request. */
export async function consumeHot(platform: Platform, rank: number, requests: number): Promise<Counts> {
  const ranks: Ranks = { from: rank, to: rank + 1 };
  await platform.load.prepare({ path: "/v1/consume", bodies: consumeTexts(ranks, requests) });
  await takeCounts(platform);
  await sendRange(platform, [0, requests], { connections: ALONE, round: 3 });
  return takeCounts(platform);
}

/** Leases of a hundred units over HTTP, each used up and reported. */
export async function leaseDrawn(platform: Platform, drawn: Workload, leases: number): Promise<Counts> {
  await takeCounts(platform);
  for (let lease = 0; lease < leases; lease++) {
    const { customer_id } = nextEvent(drawn);
    const wanted = { customer_id, metric: DECIDED_METRIC.slug, want: LEASE_UNITS, holder: "bench" };
    const { id, granted } = await post(platform, "/v1/leases", wanted);
    if (granted !== String(LEASE_UNITS)) throw new Error(`${granted} of ${LEASE_UNITS} units were granted.`);
    await post(platform, `/v1/leases/${id}/report`, { used: LEASE_UNITS });
  }
  return takeCounts(platform);
}

/** Decisions of a process that holds a lease by the SDK, evenly over some seconds. */
export async function holdLease(
  platform: Platform,
  rank: number,
  { perSecond, seconds }: { readonly perSecond: number; readonly seconds: number },
): Promise<Counts> {
  await takeCounts(platform);
  const client = new Tidemark({ url: platform.url, key: platform.product.authorization.replace("Bearer ", "") });
  const lease = client.lease(customerId(rank), DECIDED_METRIC.slug);
  await lease.ready();
  const startedAt = performance.now();
  for (let decided = 0; decided < perSecond * seconds; await wait(TICK_MS)) {
    const due = Math.min((performance.now() - startedAt) / 1000, seconds) * perSecond;
    for (; decided < due; decided++) if (!(await lease.admit())) throw new Error("A lease without a limit ran dry.");
  }
  await client.close();
  return takeCounts(platform);
}

interface Lease {
  readonly id: string;
  readonly granted: string;
}

async function post({ product, url }: Platform, path: string, body: object): Promise<Lease> {
  const headers = { authorization: product.authorization, "content-type": "application/json" };
  const response = await fetch(url + path, { method: "POST", headers, body: JSON.stringify(body) });
  if (!response.ok) throw new Error(`${path} was refused: ${await response.text()}`);
  return response.json<Lease>();
}

function nextEvent(drawn: Workload): { readonly id: string; readonly customer_id: string } {
  return JSON.parse(drawn.next()) as { readonly id: string; readonly customer_id: string };
}
