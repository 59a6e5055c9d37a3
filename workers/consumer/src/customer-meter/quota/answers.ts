import type { Decision, DenialReason, ThresholdCrossing } from "@tidemark/contract";
import { formatExact, type Metric } from "@tidemark/core";
import { greater } from "@tidemark/core/bucket";
import type { LiveBalance } from "./live-balance.ts";

/** An instant as answers show it. */
export function toTime(instant: number): string {
  return new Date(instant).toISOString();
}

/** What is said of a metric that nothing is known of. */
export function noBalance(metric: string, reason: DenialReason): Decision {
  return {
    allowed: false,
    metric,
    reason,
    enforcement: null,
    enforced: true,
    limit: null,
    carried: "0",
    used: "0",
    reserved: "0",
    remaining: null,
    overage: "0",
    over_limit: false,
    cycle: null,
  };
}

interface Outcome {
  readonly allowed: boolean;
  readonly reason?: DenialReason;
  /** Whether what was asked for goes beyond the allowance. */
  readonly isOver?: boolean;
  readonly crossed?: readonly ThresholdCrossing[];
}

/** Where a balance stands, as the answer to a question about it. */
export function toAnswer(metric: Metric, { balance, definition }: LiveBalance, outcome: Outcome): Decision {
  const { allowed, reason, isOver = false, crossed = [] } = outcome;
  const view = balance.view();
  const places = metric.decimal_places;
  const used = definition.terms.base === null ? view.used : greater(view.used, 0);
  return {
    allowed,
    metric: metric.slug,
    ...(reason === undefined ? {} : { reason }),
    enforcement: definition.terms.enforcement,
    enforced: true,
    limit: view.limit === null ? null : formatExact(view.limit, places),
    carried: formatExact(view.carried, places),
    used: formatExact(used, places),
    reserved: formatExact(view.reserved, places),
    remaining: view.remaining === null ? null : formatExact(view.remaining, places),
    overage: formatExact(view.overage, places),
    over_limit: view.overage > 0 || (allowed && isOver),
    cycle: { start: toTime(view.cycle.start), end: toTime(view.cycle.end) },
    ...(crossed.length === 0 ? {} : { thresholds_crossed: crossed }),
  };
}

/** Of several balances of one metric the one that leaves least. */
export function tightest(lives: readonly LiveBalance[]): LiveBalance | undefined {
  let found: LiveBalance | undefined;
  for (const live of lives) {
    const remaining = live.balance.view().remaining;
    const least = found?.balance.view().remaining ?? null;
    if (found === undefined || (remaining !== null && (least === null || remaining < least))) found = live;
  }
  return found;
}

/** Of several metrics' answers the one that speaks for all: a denial before the rest, then who has least. */
export function tightestAnswer(answers: readonly Decision[]): Decision | undefined {
  return answers.toSorted((a, b) => Number(a.allowed) - Number(b.allowed) || room(a) - room(b))[0];
}

/** The share of the allowance that is left: good enough to choose which answer is shown first. */
function room({ limit, carried, remaining }: Decision): number {
  if (limit === null || remaining === null) return Infinity;
  const all = Number(limit) + Number(carried);
  return all > 0 ? Number(remaining) / all : 0;
}
