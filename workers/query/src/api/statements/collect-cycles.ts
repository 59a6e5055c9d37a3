import type { FinalCycle, MeterAddress } from "@tidemark/contract";
import type { QueryEnv } from "../../env.ts";
import { requireMeter } from "../../quota-meter.ts";
import type { CustomerDefinitions } from "../definitions/read-definitions.ts";
import { changingCycles, type ChargedCycle, feeCycles, finalCycle } from "./charged-cycle.ts";

/** Which of a customer's cycles are wanted, latest end first. */
export interface CyclePage {
  /** Only cycles that ended before this, in milliseconds. */
  readonly before: number;
  readonly limit: number;
}

/**
 * The cycles of everything that a customer has and had, the latest end first: those that can change, those of
 * what has no metric, and those that are final. The order says which are on which page, also when some become
 * final in between.
 */
export async function collectCycles(
  env: QueryEnv,
  address: MeterAddress,
  { held, rows, as_of: now }: CustomerDefinitions,
  { before, limit }: CyclePage,
): Promise<readonly ChargedCycle[]> {
  const final = await readFinalCycles(env, address, { before, limit });
  const withoutMetric = new Set(rows.filter(({ metric_id }) => metric_id === null).map(({ id }) => id));
  const fees = held
    .filter(({ definition }) => withoutMetric.has(definition.id))
    .flatMap((fee) => feeCycles(fee, { now, before, limit }));
  const metered = withChanging(held, final).filter(({ end }) => end < before);
  return [...metered, ...fees].toSorted(byEnd).slice(0, limit);
}

/** The cycles before one of them, latest first, also those of a subscription that it took the place of. */
export type EarlierOf = (cycle: ChargedCycle) => readonly ChargedCycle[];

/** Cycles of a call where it is not known how many there are. */
const PAGE = 1_000;

/** Reads what came before some cycles, back to the oldest that they adjust. */
export async function readEarlier(
  env: QueryEnv,
  address: MeterAddress,
  { held }: CustomerDefinitions,
  cycles: readonly ChargedCycle[],
): Promise<EarlierOf> {
  if (cycles.length === 0) return () => [];
  const since = Math.min(...cycles.map(oldestNeeded));
  const final: ChargedCycle[] = [];
  for (let before = Math.max(...cycles.map(({ start }) => start)) + 1; before > since;) {
    const page = await readFinalCycles(env, address, { before, limit: PAGE });
    final.push(...page);
    before = page.at(-1)?.end ?? since;
  }
  const all = withChanging(held, final).toSorted(byEnd);
  return (cycle) => all.filter((one) => isSameKind(one, cycle) && one.end <= cycle.start);
}

/** Cycles that end after this, or with it, decide about what one costs: those that it adjusts, and the one before. */
function oldestNeeded({ start, adjustments }: ChargedCycle): number {
  return adjustments.reduce((oldest, { cycle_start }) => Math.min(oldest, cycle_start), start);
}

/** Final cycles with those that could change when they were read: some may have become final since. */
function withChanging(held: CustomerDefinitions["held"], final: readonly ChargedCycle[]): readonly ChargedCycle[] {
  const known = new Set(final.map(keyOf));
  const changing = held.flatMap(({ balances }) => balances.flatMap(changingCycles));
  return [...changing.filter((one) => !known.has(keyOf(one))), ...final];
}

function keyOf({ definition, label, start }: ChargedCycle): string {
  return `${definition.id} ${start} ${label}`;
}

function byEnd(a: ChargedCycle, b: ChargedCycle): number {
  return b.end - a.end || compare(a.definition.id, b.definition.id) || compare(a.label, b.label);
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** A customer has one allowance and one subscription of a metric at a time. */
function isSameKind(a: ChargedCycle, b: ChargedCycle): boolean {
  const isAllowance = ({ definition }: ChargedCycle): boolean => definition.product === null;
  return a.definition.metric_id === b.definition.metric_id && isAllowance(a) === isAllowance(b) && a.label === b.label;
}

/**
 * Final cycles, latest end first: so many at least, if there are, and all of those that end at the same time,
 * because the meter has these in an order of its own.
 */
async function readFinalCycles(
  env: QueryEnv,
  address: MeterAddress,
  { before, limit: wanted }: CyclePage,
): Promise<readonly ChargedCycle[]> {
  for (let limit = wanted + 1; ; limit *= 2) {
    const request = { ...address, before, limit, balance_id: null };
    const cycles = await requireMeter(
      env,
      address,
      async (meter) => (await meter.cycles(request)) as readonly FinalCycle[],
    );
    const found = cycles.map(finalCycle);
    if (found.length < limit) return found;
    const last = found.at(-1);
    const whole = found.filter(({ end }) => end !== last?.end);
    if (whole.length >= wanted) return whole;
  }
}
