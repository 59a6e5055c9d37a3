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
 * what has no metric, and those that are final, in the meter's order. So a page goes on where another ended.
 */
export async function collectCycles(
  env: QueryEnv,
  address: MeterAddress,
  { held, rows, as_of: now }: CustomerDefinitions,
  { before, limit }: CyclePage,
): Promise<readonly ChargedCycle[]> {
  const final = await readFinalCycles(env, address, { before, limit });
  const changing = held.flatMap(({ balances }) => balances.flatMap(changingCycles));
  const withoutMetric = new Set(rows.filter(({ metric_id }) => metric_id === null).map(({ id }) => id));
  const fees = held
    .filter(({ definition }) => withoutMetric.has(definition.id))
    .flatMap((fee) => feeCycles(fee, { now, before, limit }));
  return [...changing.filter(({ end }) => end < before), ...fees, ...final]
    .toSorted((a, b) => b.end - a.end)
    .slice(0, limit);
}

/** Cycles that are looked at for those before some others: more than there are for as long as something late can come. */
const EARLIER_MAX = 1_000;

/** The cycles before one of them, latest first, also those of a subscription that it took the place of. */
export type EarlierOf = (cycle: ChargedCycle) => readonly ChargedCycle[];

/** Reads what came before some cycles. */
export async function readEarlier(
  env: QueryEnv,
  address: MeterAddress,
  { held }: CustomerDefinitions,
  cycles: readonly ChargedCycle[],
): Promise<EarlierOf> {
  if (cycles.length === 0) return () => [];
  const before = Math.max(...cycles.map(({ start }) => start)) + 1;
  const final = await readFinalCycles(env, address, { before, limit: EARLIER_MAX });
  const all = [...held.flatMap(({ balances }) => balances.flatMap(changingCycles)), ...final];
  return (cycle) => all.filter((one) => isSameKind(one, cycle) && one.end <= cycle.start);
}

/** A customer has one allowance and one subscription of a metric at a time. */
function isSameKind(a: ChargedCycle, b: ChargedCycle): boolean {
  const isAllowance = ({ definition }: ChargedCycle): boolean => definition.product === null;
  return a.definition.metric_id === b.definition.metric_id && isAllowance(a) === isAllowance(b) && a.label === b.label;
}

async function readFinalCycles(
  env: QueryEnv,
  address: MeterAddress,
  page: CyclePage,
): Promise<readonly ChargedCycle[]> {
  const request = { ...address, ...page, balance_id: null };
  const cycles = await requireMeter(
    env,
    address,
    async (meter) => (await meter.cycles(request)) as readonly FinalCycle[],
  );
  return cycles.map(finalCycle);
}
