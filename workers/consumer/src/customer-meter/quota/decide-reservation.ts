import type { Decision, ReservationAnswer } from "@tidemark/contract";
import { formatExact, type Json } from "@tidemark/core";
import { grantableOf } from "@tidemark/core/balance-view";
import { lesser, type Part, subtract } from "@tidemark/core/bucket";
import type { Exact } from "@tidemark/core/exact";
import { noBalance, tightest, toAnswer, toTime } from "./answers.ts";
import { toText } from "./decide-use.ts";
import type { DecisionRecord } from "./decision-record.ts";
import {
  canonical,
  contentOf,
  type Decided,
  type Desk,
  placeOf,
  problem,
  type Properties,
  toUnits,
  toCounted,
  type RequestOf,
} from "./desk.ts";
import type { HoldMeta, LiveBalance } from "./live-balance.ts";
import { endOf } from "./end-of.ts";
import type { Metered } from "./metered-metrics.ts";
import type { Quotas } from "./quotas.ts";

/** Sets units aside until they are committed, released or expire. */
export function reserve(desk: Desk, request: RequestOf<"reserve">): Decided {
  const { quotas, now } = desk;
  const { id, item, ttl_ms, on_expiry, is_named = true, properties = null } = request;
  const content = contentOf(item.metric, canonical(item.amount), ttl_ms, on_expiry, properties);
  const first = quotas.log.find(id);
  if (first !== undefined) return repeatReserve(first, content, id);
  if (desk.hasEvent(id))
    return problem("conflict", "An event with this id has been counted; nothing is left to reserve for.", "/id");
  const metered = quotas.metrics.bySlug(item.metric);
  const place = metered === undefined ? NO_PLACE : placeOf(metered, properties);
  const labelOf = (path: string): string => place.labels[metered?.metric.group_by.indexOf(path) ?? -1] ?? "";
  const lives = metered === undefined ? [] : quotas.of(metered.metric.id, now, labelOf);
  const shown = tightest(lives);
  if (metered === undefined || shown === undefined) {
    const answer = noBalance(item.metric, desk.isKnown ? "no_allowance" : "unknown_customer");
    return { reply: { kind: "reservation", answer: notReserved(answer, id) }, effect: "none" };
  }
  const { aggregation, slug } = metered.metric;
  if (aggregation !== "count" && aggregation !== "sum")
    return problem("invalid_request", `${slug} is a ${aggregation}: only counts and sums can be reserved.`, "/metric");
  const units = toUnits(item.amount, metered, "/amount");
  if (units < 0) return problem("invalid_request", "Less than nothing cannot be reserved.", "/amount");
  const refusing = lives.filter((live) => !live.balance.admits(units) || !hasRoom(live, units));
  if (refusing.length > 0) {
    const answer = toAnswer(metered.metric, tightest(refusing) ?? shown, { allowed: false, reason: "limit_reached" });
    const denied = { kind: "reservation", answer: notReserved(answer, id) } as const;
    if (!is_named) return { reply: denied, effect: "none" };
    quotas.log.add({ id, kind: "reserve", at: now, content, counted: [], paid: [], answers: [answer], extra: null });
    return { reply: denied, effect: "denied" };
  }
  const full = tooManyHolds(quotas);
  if (full !== undefined) return full;
  const isOver = !shown.balance.fits(units);
  const expires_at = now + ttl_ms;
  const meta: HoldMeta = { ...RESERVATION, metric_id: metered.metric.id, expires_at, ttl_ms };
  for (const live of lives) {
    quotas.balances.adopt(live);
    live.touch();
    live.balance.hold(id, units, { on_expiry, expires_at });
    live.holds.set(id, meta);
  }
  const answer = toAnswer(metered.metric, shown, { allowed: true, isOver });
  const extra = { granted: formatExact(units, metered.metric.decimal_places), expires_at: toTime(expires_at) };
  quotas.log.add({ id, kind: "reserve", at: now, content, counted: [], paid: [], answers: [answer], extra });
  return { reply: { kind: "reservation", answer: { ...answer, id, ...extra, state: "held" } }, effect: "counted" };
}

const NO_PLACE = { labels: [], segments: 0 } as const;

/** Open reservations and leases of a customer that hold something: each is written with every call. */
const HOLDS_MAX = 500;

/** Whether no more can be held. */
export function tooManyHolds(quotas: Quotas): Decided | undefined {
  let holds = 0;
  for (const { balance } of quotas.balances.all)
    for (const { units } of balance.state.holds.values()) if (units > 0) holds++;
  if (holds < HOLDS_MAX) return undefined;
  return problem("too_many_holds", `At most ${HOLDS_MAX} reservations and leases of a customer can be open.`);
}

const RESERVATION = { kind: "reservation", holder: null, sequence: 0, return_after_ms: null, reported: null } as const;

/** Whether a hard limit has as much to set aside. */
function hasRoom({ balance, definition }: LiveBalance, units: Exact): boolean {
  const { enforcement, base } = definition.terms;
  return enforcement !== "hard" || base === null || units <= grantableOf(balance.state);
}

function notReserved(answer: Decision, id: string): ReservationAnswer {
  return { ...answer, id, granted: "0", expires_at: null };
}

function repeatReserve(first: DecisionRecord, content: number, id: string): Decided {
  const [answer] = first.answers;
  if (first.kind !== "reserve" || first.content !== content || answer === undefined)
    return problem("conflict", "This id belongs to another request; use a new id for a new reservation.", "/id");
  const repeated = { ...answer, duplicate: true } as const;
  if (first.extra === null)
    return { reply: { kind: "reservation", answer: notReserved(repeated, id) }, effect: "none" };
  const extra = first.extra as { readonly granted: string; readonly expires_at: string };
  return { reply: { kind: "reservation", answer: { ...repeated, id, ...extra } }, effect: "none" };
}

/** Uses what is reserved, or part of it, and lets the rest go. */
export function commit(desk: Desk, request: RequestOf<"commit">): Decided {
  const { reservation: id, amount, properties, on_excess } = request;
  const open = openHold(desk, id);
  if (open === undefined) return repeatEnd(desk, id);
  const { metered, held } = open;
  if (!passes(metered, properties) || open.isCounted) return finish(desk, id, open, 0, properties, "commit");
  const wanted = amount === null ? held : toUnits(amount, metered, "/amount");
  if (wanted < 0) return problem("invalid_request", "Less than nothing cannot be committed.", "/amount");
  if (wanted > held && on_excess === "reject")
    return problem(
      "exceeds_reservation",
      `${formatExact(held, metered.metric.decimal_places)} are reserved. Commit as many, or say on_excess: cap or overflow.`,
      "/amount",
    );
  const committed = on_excess === "cap" ? lesser(wanted, held) : wanted;
  return finish(desk, id, open, committed, properties, "commit");
}

/** Lets go what is reserved. */
export function release(desk: Desk, { reservation: id }: RequestOf<"release">): Decided {
  const open = openHold(desk, id);
  return open === undefined ? repeatEnd(desk, id) : finish(desk, id, open, 0, null, "release");
}

/** Gives a reservation more time, counted from now. */
export function extend(desk: Desk, { reservation: id, ttl_ms }: RequestOf<"extend">): Decided {
  const open = openHold(desk, id);
  if (open === undefined) return repeatEnd(desk, id);
  const { lives, metered, held } = open;
  const expires_at = desk.now + ttl_ms;
  for (const live of lives) {
    const hold = live.balance.state.holds.get(id);
    const meta = live.holds.get(id);
    if (hold === undefined || meta === undefined) continue;
    live.touch();
    hold.expires_at = expires_at;
    live.holds.set(id, { ...meta, expires_at, ttl_ms });
  }
  const granted = formatExact(held, metered.metric.decimal_places);
  const times = { expires_at: toTime(expires_at), state: "held" } as const;
  return {
    reply: { kind: "reservation", answer: { ...answerOf(open), id, granted, ...times } },
    effect: "counted",
  };
}

interface OpenHold {
  readonly metered: Metered;
  readonly lives: readonly LiveBalance[];
  readonly held: Exact;
  /** Whether the event that it is for has been counted. */
  readonly isCounted: boolean;
}

function openHold({ quotas, now }: Desk, id: string): OpenHold | undefined {
  const lives = quotas.holding(id, now);
  const [first] = lives;
  const meta = first?.holds.get(id);
  if (first === undefined || meta?.kind !== "reservation") return undefined;
  const metered = quotas.metrics.byId(meta.metric_id);
  if (metered === undefined) throw new Error("A reservation's metric is not there.");
  const held = first.balance.state.holds.get(id)?.units ?? 0;
  return { metered, lives, held, isCounted: meta.is_counted === true };
}

/** Whether what became of the work counts at all. */
export function passes({ compiled }: Metered, properties: Properties): boolean {
  return (
    properties === null || compiled.passes === null || compiled.passes(properties as Readonly<Record<string, Json>>)
  );
}

function finish(
  desk: Desk,
  id: string,
  { metered, lives, held }: OpenHold,
  committed: Exact,
  properties: Properties,
  kind: "commit" | "release",
): Decided {
  const { quotas, now } = desk;
  const { metric } = metered;
  const place = placeOf(metered, properties);
  const crossed = [];
  const paid = [];
  for (const live of lives) {
    const watch = quotas.watch(live, metered);
    const parts = useHeld(live, id, committed, now, place.segments);
    live.balance.endHold(id);
    live.holds.delete(id);
    paid.push({ balance: live.key, parts: toText(parts) });
    crossed.push(...quotas.crossed(watch, now));
  }
  const isUsed = committed !== 0;
  if (isUsed) quotas.count({ metric, ...place, value: committed, id, at: now });
  const counted = isUsed ? [toCounted(metric, place, committed)] : [];
  const shown = tightest(lives);
  if (shown === undefined) throw new Error("A reservation's balance is not there.");
  const answer = toAnswer(metric, shown, { allowed: true, crossed });
  const places = metric.decimal_places;
  const extra = {
    granted: formatExact(held, places),
    expires_at: null,
    state: isUsed ? "committed" : "released",
    committed: formatExact(committed, places),
    released: formatExact(committed > held ? 0 : subtract(held, committed), places),
  } as const;
  quotas.log.add({ id: endOf(id), kind, at: now, content: 0, counted, paid, answers: [answer], extra });
  return { reply: { kind: "reservation", answer: { ...answer, id, ...extra } }, effect: "counted" };
}

/** Uses what is held, and beyond it what happens to be there: the work is done. */
export function useHeld(live: LiveBalance, id: string, units: Exact, now: number, segments: number): Part[] {
  live.touch();
  const hold = live.balance.state.holds.get(id);
  if (hold === undefined) throw new Error("A hold is not there.");
  const within = lesser(units, hold.units);
  const parts = live.balance.useHeld(hold, within, segments);
  const beyond = subtract(units, within);
  return beyond > 0 ? [...parts, ...live.balance.consume(beyond, now, segments)] : parts;
}

function answerOf({ metered, lives }: OpenHold): Decision {
  const shown = tightest(lives);
  if (shown === undefined) throw new Error("A reservation's balance is not there.");
  return toAnswer(metered.metric, shown, { allowed: true });
}

/** What became of a reservation that is not open any more. */
function repeatEnd({ quotas }: Desk, id: string): Decided {
  const end = quotas.log.find(endOf(id));
  const [answer] = end?.answers ?? [];
  if (end !== undefined && answer !== undefined && end.extra !== null) {
    const extra = end.extra as unknown as Pick<ReservationAnswer, "granted" | "expires_at">;
    return { reply: { kind: "reservation", answer: { ...answer, duplicate: true, id, ...extra } }, effect: "none" };
  }
  const made = quotas.log.find(id);
  if (made?.kind === "reserve" && made.extra !== null)
    return problem(
      "reservation_expired",
      `The reservation expired at ${String(made.extra["expires_at"])}, or at the time that it was last extended to. Report what was used as an event or a consume.`,
    );
  return problem("not_found", "There is no such reservation.");
}
