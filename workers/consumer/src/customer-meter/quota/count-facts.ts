import type { EventColumns, SeriesRef } from "@tidemark/contract";
import type { Exact } from "@tidemark/core";
import type { BalanceWatch } from "./balance-watch.ts";
import type { LiveBalance } from "./live-balance.ts";
import type { Quotas } from "./quotas.ts";

/** Something that has happened, whatever the limit. */
export interface CountedFact {
  /** In the metric's smallest unit; for `unique` the id's 52-bit hash. */
  readonly value: Exact;
  /** Milliseconds. */
  readonly instant: number;
  /** The segments that it is in, as bits. */
  readonly segments: number;
}

/**
 * Counts events in the balances, in the cycles that they happened in.
 *
 * @param counts which matches of the call are to be counted.
 */
export function countFacts(
  quotas: Quotas,
  { matches, values, instants, series, large }: EventColumns,
  counts: (match: number) => boolean,
  now: number,
): void {
  if (quotas.balances.all.length === 0) return;
  const watches = new Map<LiveBalance, BalanceWatch>();
  const ofSeries = series.map((ref) => targetsOf(quotas, ref, watches, now));
  if (ofSeries.every((targets) => targets.length === 0)) return;
  const largeValues = new Map(large);
  for (let match = 0; match < values.length; match++) {
    const index = matches[2 * match + 1] ?? 0;
    const targets = ofSeries[index] ?? [];
    const plain = values[match] ?? NaN;
    if (targets.length === 0 || Number.isNaN(plain) || !counts(match)) continue;
    const value = Number.isFinite(plain) ? plain : (largeValues.get(match) ?? 0);
    const instant = instants[matches[2 * match] ?? 0] ?? 0;
    count(quotas, targets, { value, instant, segments: series[index]?.segments ?? 0 }, now);
  }
}

/** Counts one fact of a metric without labels. */
export function countFact(quotas: Quotas, metricId: string, fact: CountedFact, now: number): void {
  count(quotas, targetsOf(quotas, { metric_id: metricId, labels: [] }, new Map(), now), fact, now);
}

/** A balance that a fact reaches, and what looks at it. */
interface Target {
  readonly live: LiveBalance;
  readonly watch: BalanceWatch;
}

function count(
  quotas: Quotas,
  targets: readonly Target[],
  { value, instant, segments }: CountedFact,
  now: number,
): void {
  for (const { live, watch } of targets) {
    quotas.balances.adopt(live);
    live.touch();
    live.balance.fact((start) => quotas.valueIn(live, start, value), instant, segments);
    quotas.look(watch, now);
  }
}

/** Facts also reach a balance that was cancelled: they may have happened before. A balance has one watch in a call. */
function targetsOf(
  quotas: Quotas,
  { metric_id, of = metric_id, labels }: Pick<SeriesRef, "metric_id" | "of" | "labels">,
  watches: Map<LiveBalance, BalanceWatch>,
  now: number,
): readonly Target[] {
  const metered = quotas.metrics.byId(of);
  if (metered === undefined) return [];
  const { group_by } = metered.metric;
  const ended = quotas.balances.all.filter(({ definition, balance }) => definition.metric_id === of && balance.isEnded);
  for (const live of ended) quotas.advance(live, now);
  const open = quotas.of(of, now, (path) => labels[group_by.indexOf(path)] ?? "");
  return [...open, ...ended].map((live) => {
    const watch = watches.get(live) ?? quotas.watch(live, metered);
    watches.set(live, watch);
    return { live, watch };
  });
}
