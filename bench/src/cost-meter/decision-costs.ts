import { Workload } from "@tidemark/testing/workload";
import type { Counts } from "../counting/counts.ts";
import { ceilingGoal, type Figure } from "../figure.ts";
import { allow, fetchUsed } from "../harness/uses.ts";
import { renderTable } from "../table.ts";
import { type CostLine, countingLines, dollars, floorDollars, flushingLines } from "./cost-lines.ts";
import { consumeDrawn, consumeHot, createCustomers, holdLease, leaseDrawn, NO_LIMIT } from "./decision-load.ts";
import { CUSTOMERS_PER_GROUP, money, pauseForEviction, type Platform, startPlatform } from "./platform.ts";
import { PRICES } from "./prices.ts";

/** How much is counted. */
interface Effort {
  readonly groups: number;
  readonly requests: number;
  /** Of a hundred units each. */
  readonly leases: number;
  /** How long a process holds a lease. */
  readonly seconds: number;
}

const EFFORT: Effort = { groups: 3, requests: 10_000, leases: 2_000, seconds: 20 };
const QUICK: Effort = { groups: 1, requests: 2_000, leases: 200, seconds: 3 };
/** What the hot customer of that process decides in a second. */
const PER_SECOND = 1_000;
const LEASE_UNITS = 100;

/** A number of decisions, and what was counted while they were made. */
interface Measured {
  readonly name: string;
  readonly decisions: number;
  readonly counts: Counts;
  /** Whether each decision is a request to a Worker that holds a lease, and decides in its own memory. */
  readonly isRequested: boolean;
}

/** What a million decisions cost at list price: strict ones, and those of holders of leases. */
export async function decisionCosts(customers: number, quick: boolean): Promise<readonly Figure[]> {
  const { groups, requests, leases, seconds } = quick ? QUICK : EFFORT;
  const platform = await startPlatform(customers);
  try {
    const created = await createCustomers(platform);
    const drawn = new Workload({ seed: 2, customers });
    const strict = await consumeDrawn(platform, drawn, { groups, requests });
    const consumed = drawn.sent - drawn.repeated;
    const leased = await leaseDrawn(platform, drawn, leases);
    const [hot, held] = [customers, customers + 1];
    await allow(platform.url, { from: hot, to: held + 1 }, NO_LIMIT);
    const ofHot = await consumeHot(platform, hot, requests);
    const ofHeld = await holdLease(platform, held, { perSecond: PER_SECOND, seconds });
    await verify(
      platform,
      customers + 2,
      customers + consumed + leases * LEASE_UNITS + requests + seconds * PER_SECOND,
    );
    const all: readonly Measured[] = [
      { name: "strict", decisions: groups * requests, counts: strict, isRequested: false },
      { name: "strict, one customer", decisions: requests, counts: ofHot, isRequested: false },
      { name: "leased, a request each", decisions: leases * LEASE_UNITS, counts: leased, isRequested: true },
      { name: "leased, in the process", decisions: seconds * PER_SECOND, counts: ofHeld, isRequested: false },
    ];
    console.log(`\n${renderCosts(all)}\n\n${renderRows(all)}`);
    return toFigures(all, dollars(flushingLines(created)), customers);
  } finally {
    await platform.stop();
  }
}

/** @throws Error when the meters have not counted exactly what was used; reading wakes them, so this goes in groups. */
async function verify({ url, customers }: Platform, to: number, expected: number): Promise<void> {
  let used = 0;
  for (let from = 0; from < to; from += READ_TOGETHER) {
    if (from % CUSTOMERS_PER_GROUP === 0) await pauseForEviction(customers);
    used += await fetchUsed(url, { from, to: Math.min(from + READ_TOGETHER, to) });
  }
  if (used !== expected) throw new Error(`${expected} units were used, and the meters counted ${used}.`);
}

const READ_TOGETHER = 500;

function linesOf({ decisions, counts, isRequested }: Measured): readonly CostLine[] {
  const asked = { name: "requests of decisions", count: isRequested ? decisions : 0, price: PRICES.request };
  return [asked, ...countingLines(counts)];
}

function perMillion({ decisions }: Measured, value: number): number {
  return (value * 1e6) / decisions;
}

function renderCosts(all: readonly Measured[]): string {
  const lines = all.map(linesOf);
  const rows = (lines[0] ?? []).map(({ name }, line) => [
    name,
    ...all.map((each, index) => money(perMillion(each, dollars((lines[index] ?? []).slice(line, line + 1))))),
  ]);
  const used = rows.filter((_, line) => lines.some((each) => (each[line]?.count ?? 0) > 0));
  const sum = ["= deciding", ...all.map((each, index) => money(perMillion(each, dollars(lines[index] ?? []))))];
  const floor = ["  floor", ...all.map((each) => money(perMillion(each, floorOf(each))))];
  return renderTable(["$ per million decisions", ...all.map(({ name }) => name)], [...used, sum, floor]);
}

/** Where rows come from: each table's, for a thousand decisions. */
function renderRows(all: readonly Measured[]): string {
  const tables = [...new Set(all.flatMap(({ counts }) => Object.keys(counts.tables)))].toSorted();
  const perThousand = ({ decisions }: Measured, count: number): string => ((count * 1_000) / decisions).toFixed(2);
  const rows = [
    ...tables.map((table) => [table, ...all.map((each) => perThousand(each, each.counts.tables[table] ?? 0))]),
    ["object calls", ...all.map((each) => perThousand(each, each.counts.calls))],
    ["most rows of one call", ...all.map(({ counts }) => String(counts.callRowsMax))],
  ];
  return renderTable(["rows by table, for 1,000 decisions", ...all.map(({ name }) => name)], rows);
}

/** Each call with one row, and nothing else. */
function floorOf({ decisions, counts, isRequested }: Measured): number {
  return floorDollars(counts) + (isRequested ? (decisions * PRICES.request) / 1e6 : 0);
}

function toFigures(all: readonly Measured[], flushed: number, customers: number): readonly Figure[] {
  const [strict, , leased, held] = all;
  if (strict === undefined || leased === undefined || held === undefined) return [];
  const figure = (name: string, each: Measured, more: number, goal?: number): Figure => {
    const cost = perMillion(each, dollars(linesOf(each))) + more;
    const floor = perMillion(each, floorOf(each));
    const against = more > 0 ? { rival: "" } : { rival: `${money(floor)} floor`, ratio: cost / floor };
    const promised = goal === undefined ? {} : { goal: ceilingGoal(cost, goal, "$") };
    return { name, ours: money(cost), ...against, ...promised };
  };
  const flushedOnce = `  and each of ${customers.toLocaleString("en-US")} customers flushed once`;
  const most = Math.max(...all.map(({ counts }) => counts.callRowsMax));
  return [
    figure("$ per million consumes, one a request", strict, 0),
    figure(flushedOnce, strict, flushed, 1.55),
    figure("$ per million leased decisions, a request each", leased, 0, 0.35),
    figure(flushedOnce, leased, flushed),
    figure("$ per million leased decisions in the caller's process", held, 0, 0.02),
    {
      name: "rows written by a call that decides, most",
      ours: String(most),
      rival: "1 floor",
      goal: ceilingGoal(most, 2),
    },
  ];
}
