import type { LeaseAnswer } from "@tidemark/contract";
import { toTime } from "./answers.ts";
import { countUsed } from "./count-leased.ts";
import { type Decided, type Desk, problem, toUnits, type RequestOf } from "./desk.ts";
import { afterAllOf, endOf } from "./end-of.ts";
import { remainingOf, repeat, stale } from "./lease-answers.ts";

/** A report of a lease that is not open any more. */
export function reportEnded(desk: Desk, { lease: id, sequence, key = null, used: raw }: RequestOf<"report">): Decided {
  const { quotas, now } = desk;
  const end = quotas.log.find(endOf(id));
  if (end?.kind !== "report" || end.extra === null)
    return problem("not_found", "There is no such lease, or nothing was left of it.");
  if (sequence !== null && end.content !== sequence) return stale(end.content);
  if (end.extra["settled"] !== true) {
    if (sequence === null && end.extra["key"] !== key)
      return problem("stale_sequence", "The lease is closed, and this is another report of it.");
    const { key: _, ...answer } = end.extra;
    return repeat(answer as unknown as LeaseAnswer, now);
  }
  // It ended by itself, and what nobody reported was given back, or counted as used when its cycle closed.
  const after = quotas.log.find(afterAllOf(id));
  if (after?.extra !== null && after !== undefined) return repeat(after.extra as unknown as LeaseAnswer, now);
  const metered = quotas.metrics.bySlug(String(end.extra["metric"]));
  if (metered === undefined) return problem("not_found", "There is no such lease.");
  const wasCounted = end.counted.length > 0;
  const used = toUnits(raw, metered, "/used");
  const lives = quotas.of(metered.metric.id, now, () => "");
  const counted = used > 0 && !wasCounted ? countUsed(desk, lives, metered, { id, used }) : { counted: [], paid: [] };
  const { holder } = end.extra;
  const remaining = lives.length === 0 ? "0" : remainingOf(metered, lives);
  const times = { expires_at: toTime(end.at), ttl_ms: 0 };
  const answer: LeaseAnswer = {
    id,
    metric: metered.metric.slug,
    holder: typeof holder === "string" ? holder : "",
    granted: "0",
    sequence: end.content + 1,
    ...times,
    remaining,
    may_overshoot: true,
  };
  const log = { kind: "report", at: now, content: end.content, ...counted, answers: [] } as const;
  quotas.log.add({ ...log, id: afterAllOf(id), extra: { ...answer } });
  return { reply: { kind: "lease", answer }, effect: "counted" };
}
