import type { LeaseAnswer } from "@tidemark/contract";
import { grantableOf } from "@tidemark/core/balance-view";
import { greater, lesser, subtract } from "@tidemark/core/bucket";
import { addExact, type Exact } from "@tidemark/core/exact";
import type { Hold } from "@tidemark/core/hold";
import { toTime } from "./answers.ts";
import { countUsed } from "./count-leased.ts";
import { tooManyHolds } from "./decide-reservation.ts";
import { canonical, contentOf, type Decided, type Desk, problem, toUnits, type RequestOf } from "./desk.ts";
import type { HoldMeta, LiveBalance } from "./live-balance.ts";
import { endOf } from "./end-of.ts";
import { repeat, stale, toLease } from "./lease-answers.ts";
import { reportEnded } from "./report-ended.ts";

/** A lease ends this long before its cycle does: no holder's clock is that wrong about how long a grant lives. */
const CYCLE_MARGIN_MS = 2_000;

/** Hands units to a holder who then decides alone. They are debited now, so that no crash can pass the limit. */
export function lease(desk: Desk, request: RequestOf<"lease">): Decided {
  const { quotas, now } = desk;
  const { id, metric: slug, want, holder, ttl_ms, return_after_ms } = request;
  const content = contentOf(slug, canonical(want), holder, ttl_ms, return_after_ms);
  const first = quotas.log.find(id);
  if (first !== undefined) {
    if (first.content !== content || first.extra === null)
      return problem("conflict", "This id belongs to another request; use a new id for a new lease.", "/id");
    return currentOf(desk, id, first.extra as unknown as LeaseAnswer);
  }
  const metered = quotas.metrics.bySlug(slug);
  const lives = metered === undefined ? [] : quotas.of(metered.metric.id, now, () => "");
  if (metered === undefined || lives.length === 0) {
    const answer = noLease(request, now, desk.isKnown ? "no_allowance" : "unknown_customer");
    return { reply: { kind: "lease", answer }, effect: "none" };
  }
  const { aggregation } = metered.metric;
  if (aggregation !== "count" && aggregation !== "sum")
    return problem("invalid_request", `${slug} is a ${aggregation}: only counts and sums can be leased.`, "/metric");
  const wanted = toUnits(want, metered, "/want");
  if (wanted < 0) return problem("invalid_request", "Less than nothing cannot be leased.", "/want");
  if (lives.some(({ definition }) => definition.terms.per !== null))
    return problem(
      "invalid_request",
      `${slug} has a limit for each label: reserve or consume, with properties.`,
      "/metric",
    );
  const full = tooManyHolds(quotas);
  if (full !== undefined) return full;
  const units = lesser(wanted, roomOf(lives, wanted));
  const meta: HoldMeta = {
    kind: "lease",
    metric_id: metered.metric.id,
    holder,
    sequence: 1,
    expires_at: expiryOf(lives, now, ttl_ms),
    ttl_ms,
    return_after_ms,
    reported: null,
  };
  for (const live of lives) begin(live, id, units, meta);
  const answer = toLease(metered, lives, id, meta, units, now);
  const log = { kind: "report", at: now, content, counted: [], paid: [], answers: [] } as const;
  quotas.log.add({ ...log, id, extra: { ...answer } });
  return { reply: { kind: "lease", answer }, effect: "counted" };
}

function begin(live: LiveBalance, id: string, units: Exact, meta: HoldMeta): void {
  live.touch();
  live.balance.hold(id, units, endingOf(units, meta));
  live.holds.set(id, meta);
}

/** When a lease's units go back though nobody reported: of an empty one at once, there is nothing to report of it. */
function endingOf(units: Exact, { expires_at, return_after_ms }: HoldMeta): Pick<Hold, "on_expiry" | "expires_at"> {
  const returns = units === 0 ? 0 : return_after_ms;
  return { on_expiry: returns === null ? "stay" : "release", expires_at: expires_at + (returns ?? 0) };
}

/** What all the balances together can still hand out. */
function roomOf(lives: readonly LiveBalance[], wanted: Exact): Exact {
  return lives.reduce<Exact>((least, { balance, definition }) => {
    const { enforcement, base } = definition.terms;
    return enforcement === "hard" && base !== null ? lesser(least, grantableOf(balance.state)) : least;
  }, wanted);
}

function expiryOf(lives: readonly LiveBalance[], now: number, ttlMs: number): number {
  const ends = lives.map(({ balance }) => balance.state.current.end - CYCLE_MARGIN_MS);
  return Math.max(Math.min(now + ttlMs, ...ends), now);
}

/**
 * Counts what a holder used since the report before. With `want` it keeps what it has and gets more; without,
 * the rest goes back and the lease is over.
 */
export function report(desk: Desk, request: RequestOf<"report">): Decided {
  const { quotas, now } = desk;
  const { lease: id, sequence, key = null } = request;
  const lives = quotas.holding(id, now);
  const meta = lives[0]?.holds.get(id);
  if (meta?.kind !== "lease") return reportEnded(desk, request);
  const metered = quotas.metrics.byId(meta.metric_id);
  if (metered === undefined) throw new Error("A lease's metric is not there.");
  const { reported } = meta;
  const isRepeated = reported !== null && (reported.sequence === sequence || (key !== null && reported.key === key));
  if (isRepeated) return repeat(JSON.parse(reported.answer) as LeaseAnswer, now);
  if (sequence !== null && sequence !== meta.sequence) return stale(meta.sequence);
  const used = toUnits(request.used, metered, "/used");
  if (used < 0) return problem("invalid_request", "Less than nothing cannot have been used.", "/used");
  const asked = request.want === null ? null : toUnits(request.want, metered, "/renew/want");
  // Of what was cancelled nothing more is handed out.
  const wanted = lives.some(({ balance }) => balance.isEnded) ? null : asked;
  const held = lives[0]?.balance.state.holds.get(id)?.units ?? 0;
  const counted = countUsed(desk, lives, metered, { id, used });
  const ttl_ms = request.ttl_ms ?? meta.ttl_ms;
  const expires_at = expiryOf(lives, now, ttl_ms);
  const next: HoldMeta = { ...meta, sequence: meta.sequence + 1, ttl_ms, expires_at };
  const left = used > held ? 0 : subtract(held, used);
  const over = used > held ? ({ may_overshoot: true } as const) : {};
  const log = { kind: "report", at: now, content: meta.sequence, ...counted, answers: [] } as const;
  if (wanted === null) {
    for (const live of lives) {
      live.touch();
      live.balance.endHold(id);
      live.holds.delete(id);
    }
    const answer: LeaseAnswer = { ...toLease(metered, lives, id, next, 0, now), ...over };
    quotas.log.add({ ...log, id: endOf(id), extra: { ...answer, key } });
    return { reply: { kind: "lease", answer }, effect: "counted" };
  }
  const units = renew(desk, lives, { id, left, wanted, next });
  const answer: LeaseAnswer = { ...toLease(metered, quotas.holding(id, now), id, next, units, now), ...over };
  const last = { sequence: meta.sequence, key, answer: JSON.stringify(answer) };
  for (const live of quotas.holding(id, now)) live.holds.set(id, { ...next, reported: last });
  quotas.log.add({ ...log, id: null, extra: { lease: id } });
  return { reply: { kind: "lease", answer }, effect: "counted" };
}

interface Renewal {
  readonly id: string;
  /** What the holder has left of its last grant. */
  readonly left: Exact;
  readonly wanted: Exact;
  readonly next: HoldMeta;
}

/**
 * Tops a lease up, within every limit of the metric, also those that began after it. One of a cycle that has
 * ended gives back what it has, and begins again in the new one.
 *
 * @returns what the holder has now.
 */
function renew({ quotas, now }: Desk, holding: readonly LiveBalance[], { id, left, wanted, next }: Renewal): Exact {
  const isOld = holding.some(({ balance: { state } }) => state.holds.get(id)?.cycle !== state.current.index);
  if (isOld) for (const live of holding) live.balance.endHold(id);
  const kept = isOld ? 0 : left;
  const more = greater(subtract(wanted, kept), 0);
  const lives = quotas.of(next.metric_id, now, () => "");
  const joining = lives.filter(({ balance }) => !balance.state.holds.has(id));
  // Who joins must have room for what the holder has already, too.
  const room = lesser(roomOf(lives, more), subtract(roomOf(joining, addExact(more, kept)), kept));
  const extra = greater(lesser(more, room), 0);
  for (const live of lives) {
    const hold = live.balance.state.holds.get(id);
    live.touch();
    if (hold === undefined) {
      begin(live, id, addExact(kept, extra), next);
      continue;
    }
    live.balance.addToHold(hold, extra);
    Object.assign(hold, endingOf(hold.units, next));
  }
  return addExact(kept, extra);
}

/** A lease that is asked for again, as it is now. */
function currentOf({ quotas, now }: Desk, id: string, first: LeaseAnswer): Decided {
  const lives = quotas.holding(id, now);
  const meta = lives[0]?.holds.get(id);
  const metered = meta === undefined ? undefined : quotas.metrics.byId(meta.metric_id);
  const units = lives[0]?.balance.state.holds.get(id)?.units ?? 0;
  if (meta === undefined || metered === undefined)
    return { reply: { kind: "lease", answer: { ...first, granted: "0", ttl_ms: 0, duplicate: true } }, effect: "none" };
  return {
    reply: { kind: "lease", answer: { ...toLease(metered, lives, id, meta, units, now), duplicate: true } },
    effect: "none",
  };
}

function noLease({ id, metric, holder }: RequestOf<"lease">, now: number, reason: LeaseAnswer["reason"]): LeaseAnswer {
  const none = { granted: "0", sequence: 1, expires_at: toTime(now), ttl_ms: 0, remaining: "0" } as const;
  return { id, metric, holder, ...none, ...(reason === undefined ? {} : { reason }) };
}
