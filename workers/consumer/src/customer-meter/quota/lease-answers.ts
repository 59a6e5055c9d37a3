import type { LeaseAnswer } from "@tidemark/contract";
import { formatExact } from "@tidemark/core";
import { grantableOf } from "@tidemark/core/balance-view";
import type { Exact } from "@tidemark/core/exact";
import { toTime } from "./answers.ts";
import { type Decided, problem } from "./desk.ts";
import type { HoldMeta, LiveBalance } from "./live-balance.ts";
import type { Metered } from "./metered-metrics.ts";

/** A lease as it is now. */
export function toLease(
  metered: Metered,
  lives: readonly LiveBalance[],
  id: string,
  meta: HoldMeta,
  units: Exact,
  now: number,
): LeaseAnswer {
  const remaining = remainingOf(metered, lives);
  const isEnded = lives.some(({ balance }) => balance.isEnded);
  const reason = isEnded ? "no_allowance" : units === 0 && remaining === "0" ? "limit_reached" : undefined;
  return {
    id,
    metric: metered.metric.slug,
    holder: meta.holder ?? "",
    granted: formatExact(units, metered.metric.decimal_places),
    sequence: meta.sequence,
    expires_at: toTime(meta.expires_at),
    ttl_ms: Math.max(meta.expires_at - now, 0),
    remaining,
    ...(reason === undefined ? {} : { reason }),
    ...(meta.return_after_ms === null ? {} : { may_overshoot: true }),
  };
}

/** What is left for everybody else. */
export function remainingOf({ metric }: Metered, lives: readonly LiveBalance[]): string {
  const limited = lives.filter(({ definition }) => definition.terms.base !== null);
  const remaining = limited.map(({ balance }) => (balance.isEnded ? 0 : grantableOf(balance.state)));
  const least = remaining.toSorted((a, b) => (a < b ? -1 : 1))[0];
  return least === undefined ? UNLIMITED : formatExact(least, metric.decimal_places);
}

/** What a holder is told of a metric without a limit: as much as a number can say. */
const UNLIMITED = String(Number.MAX_SAFE_INTEGER);

/** The first answer again, with the life that is left of it. */
export function repeat(answer: LeaseAnswer, now: number): Decided {
  const ttl_ms = Math.max(Date.parse(answer.expires_at) - now, 0);
  return { reply: { kind: "lease", answer: { ...answer, ttl_ms, duplicate: true } }, effect: "none" };
}

/** A report of a grant that has been reported. */
export function stale(current: number): Decided {
  return problem("stale_sequence", `The lease is at ${current}: this grant has been reported.`, "/sequence");
}
