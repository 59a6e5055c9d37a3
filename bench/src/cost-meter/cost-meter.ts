import { Workload, WORKLOAD_METRICS } from "@tidemark/testing/workload";
import type { Counts } from "../counting/counts.ts";
import { type Benchmark, ceilingGoal, type Figure } from "../figure.ts";
import { type SentPart, verifyTotals } from "../harness/verify-totals.ts";
import { whenDrained } from "../harness/when-drained.ts";
import { whenFlushed } from "../harness/when-flushed.ts";
import { renderTable } from "../table.ts";
import {
  type CostLine,
  countingLines,
  creationLines,
  dollars,
  estimatedLines,
  floorDollars,
  flushingLines,
} from "./cost-lines.ts";
import { decisionCosts } from "./decision-costs.ts";
import {
  CUSTOMERS_PER_GROUP,
  money,
  pauseForEviction,
  type Platform,
  sendRange,
  startPlatform,
  takeCounts,
} from "./platform.ts";

interface Case {
  readonly batch: number;
  /** Requests in a group, and groups; between two of them objects may leave memory. */
  readonly requests: number;
  readonly groups: number;
  /** Dollars per million events. */
  readonly goal?: number;
}

interface Measured {
  readonly batch: number;
  readonly events: number;
  readonly counts: Counts;
  readonly cpuSeconds: number;
  readonly goal: number | undefined;
}

/** A group's messages fill queue batches of 100, or nearly so. */
const CASES: readonly Case[] = [
  { batch: 1, requests: 10_000, groups: 1 },
  { batch: 100, requests: 300, groups: 3, goal: 0.33 },
  { batch: 1_000, requests: 33, groups: 3, goal: 0.27 },
];
const CONNECTIONS = 16;

/**
 * What a million reference events, and a million decisions, cost at list price, by counting every operation that
 * is billed.
 */
export const costMeter: Benchmark = async ({ quick }) => {
  const customers = quick ? 1_000 : 10_000;
  return [...(await eventCosts(customers, quick)), ...(await decisionCosts(customers, quick))];
};

async function eventCosts(customers: number, quick: boolean): Promise<readonly Figure[]> {
  const platform = await startPlatform(customers);
  try {
    const cases = quick
      ? CASES.map((each) => ({ ...each, groups: 1, requests: Math.min(each.requests, 2_000) }))
      : CASES;
    const sent: SentPart[] = [];
    const created = await createCustomers(platform, sent);
    const measured: Measured[] = [];
    for (const each of cases) measured.push(await measure(platform, each, measured.length + 2, sent));
    await verify(platform, sent);
    console.log(renderBreakdown(measured));
    console.log(renderCustomers(created, customers));
    return toFigures(measured, dollars(flushingLines(created)), customers);
  } finally {
    await platform.stop();
  }
}

/** Sends one event of each customer and waits for the flush that follows: what they cost, once. */
async function createCustomers(platform: Platform, sent: SentPart[]): Promise<Counts> {
  const { load, url, customers } = platform;
  await load.prepare({ workload: { seed: 1, customers }, batch: 100, bodies: 0, oneOfEach: true });
  await sendInGroups(
    platform,
    { requests: Math.min(customers, CUSTOMERS_PER_GROUP) / 100, groups: Math.ceil(customers / CUSTOMERS_PER_GROUP) },
    1,
  );
  await whenFlushed(url, customers * WORKLOAD_METRICS.length);
  const workload = new Workload({ seed: 1, customers });
  workload.makeOneOfEach();
  sent.push({ workload, times: 1 });
  return takeCounts(platform);
}

/** Sends a case's events and takes the counts. */
async function measure(platform: Platform, { goal, ...each }: Case, seed: number, sent: SentPart[]): Promise<Measured> {
  const { product, load, customers } = platform;
  const events = each.batch * each.requests * each.groups;
  await load.prepare({ workload: { seed, customers }, batch: each.batch, bodies: each.requests * each.groups });
  await pauseForEviction(customers);
  await takeCounts(platform);
  const cpuBefore = product.cpuSeconds();
  await sendInGroups(platform, each, seed);
  const cpuSeconds = product.cpuSeconds() - cpuBefore;
  const counts = await takeCounts(platform);
  const workload = new Workload({ seed, customers });
  workload.skip(events);
  sent.push({ workload, times: 1 });
  return { batch: each.batch, events, counts, cpuSeconds, goal };
}

/** Sends what was prepared; where files are scarce in groups, so that only one group's objects are awake. */
async function sendInGroups(
  platform: Platform,
  { requests, groups }: Pick<Case, "requests" | "groups">,
  round: number,
): Promise<void> {
  for (let group = 0; group < groups; group++) {
    if (group > 0) await pauseForEviction(platform.customers);
    await sendRange(platform, [group * requests, (group + 1) * requests], { connections: CONNECTIONS, round });
    await whenDrained(platform.url);
  }
}

/** Checks that the meters hold what was sent; reading wakes them, so that this goes in groups too. */
async function verify({ url, customers }: Platform, sent: readonly SentPart[]): Promise<void> {
  for (let from = 0; from < customers; from += CUSTOMERS_PER_GROUP) {
    await pauseForEviction(customers);
    await verifyTotals(url, [from, Math.min(from + CUSTOMERS_PER_GROUP, customers)], sent);
  }
}

function perMillion({ events }: Measured, value: number): number {
  return (value * 1e6) / events;
}

function renderBreakdown(measured: readonly Measured[]): string {
  const lines = measured.map((each) => countingLines(each.counts));
  const estimates = measured.map((each) => estimatedLines(each.counts, each.cpuSeconds));
  const head = [
    "$ per million events",
    ...measured.map(({ batch }) => (batch === 1 ? "one a request" : `batch ${batch}`)),
  ];
  const rows = [
    ...renderLines(measured, lines),
    ["= counting", ...measured.map((each, index) => money(perMillion(each, dollars(lines[index] ?? []))))],
    ["  floor", ...measured.map((each) => money(perMillion(each, floorDollars(each.counts))))],
    ...renderLines(measured, estimates).map(([name, ...cells]) => [`estimated, not compared: ${name ?? ""}`, ...cells]),
  ];
  const details = measured.map(({ batch, counts }) => {
    const perBatch = (counts.eventMessages / counts.eventBatches).toFixed(0);
    const rowsACall = (counts.callRows / counts.calls).toFixed(3);
    return `batch ${batch}: ${counts.calls} calls, ${rowsACall} rows each, at most ${counts.callRowsMax}; ${perBatch} messages a queue batch; ${counts.redelivered} redelivered`;
  });
  return `\n${renderTable(head, rows)}\n\n${details.join("\n")}`;
}

function renderLines(
  measured: readonly Measured[],
  lines: readonly (readonly CostLine[])[],
): readonly (readonly string[])[] {
  return (lines[0] ?? []).map(({ name }, line) => [
    name,
    ...measured.map((each, index) => money(perMillion(each, dollars((lines[index] ?? []).slice(line, line + 1))))),
  ]);
}

function renderCustomers(created: Counts, customers: number): string {
  const each = (lines: readonly CostLine[]): readonly (readonly string[])[] =>
    lines.map((line) => [line.name, (line.count / customers).toFixed(2), money((dollars([line]) * 1e6) / customers)]);
  const total = (name: string, lines: readonly CostLine[]): readonly string[] => [
    `= ${name}`,
    "",
    money((dollars(lines) * 1e6) / customers),
  ];
  const flushing = flushingLines(created);
  const creating = creationLines(created);
  return `\n${renderTable(
    ["once for each customer", "each", "$ per million customers"],
    [
      ...each(flushing),
      total("a flush", flushing),
      ...each(creating),
      total("being new, beside a first event and its flush", creating),
    ],
  )}`;
}

function toFigures(measured: readonly Measured[], flushDollars: number, customers: number): readonly Figure[] {
  const figures = measured.flatMap((each): readonly Figure[] => {
    const cost = perMillion(each, dollars(countingLines(each.counts)));
    const floor = perMillion(each, floorDollars(each.counts));
    const name = each.batch === 1 ? "one event a request" : `batch ${each.batch.toLocaleString("en-US")}`;
    return [
      {
        name: `$ per million events, ${name}`,
        ours: money(cost),
        rival: `${money(floor)} floor`,
        ratio: cost / floor,
        ...(each.goal === undefined ? {} : { goal: ceilingGoal(cost, each.goal, "$") }),
      },
      {
        name: `  and each of ${customers.toLocaleString("en-US")} customers flushed once`,
        ours: money(cost + flushDollars),
        rival: "",
      },
    ];
  });
  const most = Math.max(...measured.map(({ counts }) => counts.callRowsMax));
  const mean =
    measured.reduce((sum, { counts }) => sum + counts.callRows, 0) /
    measured.reduce((sum, { counts }) => sum + counts.calls, 0);
  return [
    ...figures,
    {
      name: "rows written by an object call, mean / most",
      ours: `${mean.toFixed(2)} / ${most}`,
      rival: "1 floor",
      goal: ceilingGoal(most, 2),
    },
  ];
}
