import { customerId } from "@tidemark/testing/workload";
import { type Figure, ratioGoal } from "../figure.ts";
import { Child } from "../harness/child.ts";
import type { LoadGenerator } from "../harness/load-generator.ts";
import type { Ranks } from "../harness/ranks.ts";
import { leaseTexts } from "../harness/request-texts.ts";
import { median } from "../harness/statistics.ts";
import type { CallerCommand, CallerResult } from "./caller-plan.ts";
import type { Effort } from "./compare-uses.ts";
import { allow, fetchUsed } from "../harness/uses.ts";
import type { Side } from "./side.ts";
import type { Sides } from "./sides.ts";
import { of, renderTurns, takeTurns } from "./take-turns.ts";

const HELD: Ranks = { from: 2, to: 3 };
const EXHAUSTED: Ranks = { from: 3, to: 4 };
const GRANTED_FROM = 5_000;
/** Beyond what a run can use, and exact. */
const NO_LIMIT = 1e15;
/** Not a multiple of anything that holders ask for. */
const LIMIT = 5_003;
const HOLDERS = 3;
const CONNECTIONS = 32;
/** Prepared requests; each is sent again with a new id. */
const BODIES = 1_024;
const WANT = 100;

/** Units that processes hold: what they decide about themselves, and what it takes to be given some. */
export async function compareLeases(sides: Sides, load: LoadGenerator, effort: Effort): Promise<readonly Figure[]> {
  const caller = new Child<CallerCommand, CallerResult>(import.meta.resolve("./caller-process.ts"));
  try {
    return [await compareCallers(sides, caller, effort), await compareGrants(sides, load, effort)];
  } finally {
    caller.stop();
  }
}

/** Decisions of one process with a lease, against the same process asking Redis. */
async function compareCallers(
  { ours, redisEverySecond: redis }: Sides,
  caller: Child<CallerCommand, CallerResult>,
  { turns, seconds }: Effort,
): Promise<Figure> {
  const customer = customerId(HELD.from);
  const client = { url: ours.url, key: ours.authorization.replace("Bearer ", "") };
  await allow(ours.url, HELD, NO_LIMIT);
  if (redis !== undefined) await allow(redis.url, HELD, NO_LIMIT);
  const rates: number[] = [];
  const redisRates: number[] = [];
  let admitted = 0;
  for (let turn = 0; turn <= turns; turn++) {
    const leased = await caller.ask({ kind: "lease", client, customer, seconds });
    admitted += leased.allowed;
    if (turn > 0) rates.push(leased.allowed / leased.seconds);
    if (redis === undefined) continue;
    const asked = await caller.ask({ kind: "redis", port: redis.databasePort, customer, seconds });
    if (turn > 0) redisRates.push(asked.allowed / asked.seconds);
  }
  await allow(ours.url, EXHAUSTED, LIMIT);
  const exhausted = await caller.ask({
    kind: "exhaust",
    client,
    customer: customerId(EXHAUSTED.from),
    holders: HOLDERS,
  });
  await caller.ask({ kind: "close" });
  await verifyUsed(ours.url, HELD, admitted);
  await verifyUsed(ours.url, EXHAUSTED, exhausted.allowed);
  if (exhausted.allowed > LIMIT) throw new Error(`${HOLDERS} holders admitted ${exhausted.allowed} of ${LIMIT}.`);
  console.log(`\n${HOLDERS} holders of a limit of ${LIMIT} admitted ${exhausted.allowed} together`);

  const name = "leased decisions in the caller's process, a second, ÷ node + Redis";
  const rate = median(rates);
  if (redis === undefined) return { name, ours: rate.toFixed(0), rival: "not installed" };
  const ratio = rate / median(redisRates);
  return { name, ours: rate.toFixed(0), rival: median(redisRates).toFixed(0), ratio, goal: ratioGoal(ratio, 20) };
}

/** @throws Error when the meter has not counted exactly what was admitted. */
async function verifyUsed(url: string, ranks: Ranks, admitted: number): Promise<void> {
  const used = await fetchUsed(url, ranks);
  if (used !== admitted) throw new Error(`Holders admitted ${admitted} and ${used} were counted.`);
}

/** Grants over HTTP, against a Worker that only answers. */
async function compareGrants(
  { ours, hello }: Sides,
  load: LoadGenerator,
  { customers, ...effort }: Effort,
): Promise<Figure> {
  const granted: Ranks = { from: GRANTED_FROM, to: GRANTED_FROM + customers };
  await allow(ours.url, granted, NO_LIMIT);
  await load.prepare({ path: "/v1/leases", bodies: leaseTexts(granted, BODIES, WANT) });
  const granting: Side = { ...ours, yes: `"granted":"${WANT}"` };
  const turns = await takeTurns({ load, sides: [granting, hello], connections: CONNECTIONS, ...effort });
  console.log(`\n${CONNECTIONS} connections, leases of ${customers} customers\n${renderTurns(turns)}`);
  const [rate, helloRate] = [of(turns, granting, "perSecond"), of(turns, hello, "perSecond")];
  return {
    name: "lease grants over HTTP, requests/s, ÷ hello-world Worker",
    ours: rate.toFixed(0),
    rival: helloRate.toFixed(0),
    ratio: rate / helloRate,
  };
}
