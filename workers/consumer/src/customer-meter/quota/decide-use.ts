import type { Decision, DenialReason } from "@tidemark/contract";
import { evaluate, type Exact, type Json } from "@tidemark/core";
import type { Part } from "@tidemark/core/bucket";
import { addExact } from "@tidemark/core/exact";
import { noBalance, tightest, tightestAnswer, toAnswer } from "./answers.ts";
import type { Counted, DecisionRecord, Paid } from "./decision-record.ts";
import {
  canonical,
  contentOf,
  type Decided,
  type Desk,
  type Place,
  placeOf,
  problem,
  type Properties,
  Refused,
  toUnits,
  toCounted,
  type RequestOf,
} from "./desk.ts";
import type { LiveBalance } from "./live-balance.ts";
import { afterAllOf, endOf, returnOf } from "./end-of.ts";
import type { Metered } from "./metered-metrics.ts";

type UseRequest = RequestOf<"check" | "consume">;

/**
 * A check, or a consume of one metric or several: all of it or nothing. The same id gets the same answer;
 * an id whose event has been counted already counts no more.
 */
export function decideUse(desk: Desk, request: UseRequest): Decided {
  const { id, kind, enforce } = request;
  const isConsume = kind === "consume";
  const content = contentOf(
    request.items.map(({ metric, amount }) => [metric, canonical(amount)]),
    request.properties,
    request.returns,
  );
  const first = isConsume ? findFirst(desk, request) : undefined;
  if (first !== undefined) return repeat(first, content);
  const isCounted = isConsume && desk.hasEvent(id);
  if (isCounted && enforce)
    return problem("conflict", "An event with this id has been counted; nothing is left to decide.", "/id");
  const wanted = request.items.map((item, index) => toWanted(desk, request, item, index));
  const twice = wanted.findIndex((want, index) => wanted.findIndex((other) => isSameMetric(want, other)) !== index);
  if (twice >= 0) return problem("invalid_request", "Name each metric once.", `/items/${twice}/metric`);
  const denied = findDenied(wanted, desk, enforce);
  if (denied !== undefined) {
    const answers = wanted.map((want) => deny(want, desk));
    // Where nothing is limited, nothing was decided that has to be remembered.
    const isDecided = reasonOf(denied, desk.isKnown) === undefined;
    if (!isConsume || !request.is_named || !isDecided) return { reply: reply(answers), effect: "none" };
    const asked = wanted.map(({ metered, value }) => [metered?.metric.id ?? "", value.toString()]);
    desk.quotas.log.add({ ...NOTHING_COUNTED, id, at: desk.now, content, answers, extra: { asked } });
    return { reply: reply(answers), effect: "denied" };
  }
  if (!isConsume) return { reply: reply(wanted.map((want) => show(want, []))), effect: "none" };
  if (isCounted)
    return { reply: reply(wanted.map((want) => ({ ...show(want, []), duplicate: true }))), effect: "none" };
  return consume(desk, request, content, wanted);
}

const NOTHING_COUNTED = { kind: "consume", counted: [], paid: [], extra: null } as const;

/** One metric of a request, with the balances that it falls on. */
interface Wanted {
  readonly slug: string;
  readonly metered: Metered | undefined;
  readonly lives: readonly LiveBalance[];
  /** In the metric's smallest unit: what is counted. */
  readonly value: Exact;
  /** What it costs each balance. */
  readonly costs: readonly Exact[];
  readonly place: Place;
}

function toWanted(
  desk: Desk,
  request: UseRequest,
  { metric: slug, amount }: UseRequest["items"][number],
  index: number,
): Wanted {
  const { quotas, now } = desk;
  const metered = quotas.metrics.bySlug(slug);
  if (metered === undefined)
    return { slug, metered, lives: [], value: 0, costs: [], place: { labels: [], segments: 0 } };
  const place = placeOf(metered, request.properties);
  const { group_by } = metered.metric;
  const lives = quotas.of(metered.metric.id, now, (path) => place.labels[group_by.indexOf(path)] ?? "");
  const pointer = request.items.length === 1 ? "/amount" : `/items/${index}/amount`;
  if (metered.metric.aggregation === "unique") {
    const value = memberOf(metered, request.properties, now);
    const costs = lives.map((live) =>
      quotas.members.isNew(live, live.balance.state.current.start, value) ? quotas.unitOf(live) : 0,
    );
    return { slug, metered, lives, value, costs, place };
  }
  const value = toUnits(amount, metered, pointer);
  if (value < 0 && metered.metric.aggregation !== "sum" && metered.metric.aggregation !== "count")
    throw new Refused(problem("invalid_request", "Only counts and sums can be given back.", pointer));
  return { slug, metered, lives, value, costs: lives.map(() => value), place };
}

function isSameMetric(a: Wanted, b: Wanted): boolean {
  return a.metered === undefined ? a.slug === b.slug : a.metered === b.metered;
}

/** Whose distinct value it is. @throws Refused when the properties do not say. */
export function memberOf({ compiled, metric }: Metered, properties: Properties, now: number): Exact {
  const event = { id: "", event: "", customer_id: "", properties: (properties ?? {}) as Record<string, Json> };
  const always = { ...compiled, passes: null, from: -Infinity, until: Infinity, receivedFrom: -Infinity };
  const found = evaluate(always, event, now);
  if (found.kind === "counted") return found.value;
  const detail = `${metric.slug} counts different values of "${metric.distinct_by}": send it in properties.`;
  throw new Refused(problem("invalid_request", detail, "/properties"));
}

/** The first that is not allowed. */
function findDenied(wanted: readonly Wanted[], { isKnown }: Desk, enforce: boolean): Wanted | undefined {
  return wanted.find(
    (want) =>
      reasonOf(want, isKnown) !== undefined ||
      (enforce && want.lives.some((live, index) => !live.balance.admits(want.costs[index] ?? 0))),
  );
}

/**
 * What was decided under the id. One that was denied, while its caller had to go on without the answer, is
 * counted under a name of its own.
 */
function findFirst({ quotas: { log } }: Desk, { id, enforce }: UseRequest): DecisionRecord | undefined {
  const first = log.find(id);
  const isDenied = first?.answers.some(({ allowed }) => !allowed) === true;
  return isDenied && !enforce ? log.find(afterAllOf(id)) : first;
}

/** Why a metric cannot be decided about at all. */
function reasonOf({ metered, lives }: Wanted, isKnown: boolean): DenialReason | undefined {
  if (metered !== undefined && lives.length > 0) return undefined;
  return isKnown ? "no_allowance" : "unknown_customer";
}

function deny(want: Wanted, { isKnown }: Desk): Decision {
  const { slug, metered, lives, costs } = want;
  const reason = reasonOf(want, isKnown);
  if (reason !== undefined || metered === undefined) return noBalance(slug, reason ?? "no_allowance");
  const refusing = lives.filter((live, index) => !live.balance.admits(costs[index] ?? 0));
  const shown = tightest(refusing.length > 0 ? refusing : lives);
  if (shown === undefined) return noBalance(slug, "no_allowance");
  const isRefused = refusing.length > 0;
  return toAnswer(metered.metric, shown, { allowed: !isRefused, ...(isRefused ? { reason: "limit_reached" } : {}) });
}

function show({ metered, lives, costs }: Wanted, crossed: NonNullable<Decision["thresholds_crossed"]>): Decision {
  const shown = tightest(lives);
  if (metered === undefined || shown === undefined) throw new Error("Nothing was denied, and nothing is there.");
  const isOver = !shown.balance.fits(costs[lives.indexOf(shown)] ?? 0);
  return toAnswer(metered.metric, shown, { allowed: true, isOver, crossed });
}

function consume(desk: Desk, request: UseRequest, content: number, wanted: readonly Wanted[]): Decided {
  const { quotas, now } = desk;
  const returned = toReturned(desk, request, wanted);
  const counted: Counted[] = [];
  const paid: Paid[] = [];
  const answers = wanted.map((want) => {
    const { metered, lives, place } = want;
    if (metered === undefined) throw new Error("Nothing was denied, and a metric is not there.");
    const { metric } = metered;
    // Whether it fits is asked before, and shown after.
    const isOver = lives.map((live, index) => !live.balance.fits(want.costs[index] ?? 0));
    const crossed = lives.flatMap((live, index) => {
      const watch = quotas.watch(live, metered);
      quotas.balances.adopt(live);
      live.touch();
      if (metric.aggregation === "unique") quotas.members.add(live, live.balance.state.current.start, want.value);
      const parts = live.balance.consume(want.costs[index] ?? 0, now, place.segments, partsOf(returned, live));
      paid.push({ balance: live.key, parts: toText(parts) });
      return quotas.crossed(watch, now);
    });
    if (want.value !== 0) {
      counted.push(toCounted(metric, place, want.value));
      quotas.count({ metric, ...place, value: want.value, id: request.id, at: now });
    }
    const shown = tightest(lives);
    if (shown === undefined) throw new Error("Nothing was denied, and nothing is there.");
    return toAnswer(metric, shown, { allowed: true, isOver: isOver[lives.indexOf(shown)] ?? false, crossed });
  });
  const isDenied = !request.enforce && quotas.log.find(request.id) !== undefined;
  const id = isDenied ? afterAllOf(request.id) : request.id;
  quotas.log.add({ id, kind: "consume", at: now, content, counted, paid, answers, extra: null });
  if (request.returns !== null)
    quotas.log.add({ ...NOTHING_COUNTED, id: returnOf(request.returns), at: now, content, answers: [] });
  return { reply: reply(answers), effect: "counted" };
}

/**
 * What is given back, by the id that it was used under: once, by the same metric, and no more than it was.
 *
 * @throws Refused
 */
function toReturned(
  { quotas: { log } }: Desk,
  { returns }: UseRequest,
  wanted: readonly Wanted[],
): DecisionRecord | undefined {
  if (returns === null) return undefined;
  const refuse = (detail: string): never => {
    throw new Refused(problem("invalid_request", detail, "/returns"));
  };
  const named = log.find(returns);
  const used = named?.kind === "reserve" ? log.find(endOf(returns)) : named;
  if (used === undefined || used.counted.length === 0) return refuse("Nothing was used under this id.");
  if (log.find(returnOf(returns)) !== undefined) return refuse("It has been given back.");
  for (const { value, metered } of wanted) {
    const counted = used.counted.find(({ metric_id }) => metric_id === metered?.metric.id);
    if (counted === undefined || value >= 0 || -value > BigInt(counted.units))
      return refuse("Give back, as a negative amount, at most what was used of the same metric.");
  }
  return used;
}

/** Who paid for what is given back. */
function partsOf(returned: DecisionRecord | undefined, { key }: LiveBalance): readonly Part[] | undefined {
  const found = returned?.paid.find(({ balance }) => balance === key);
  return found?.parts.map(([bucket, units]) => [bucket, addExact(BigInt(units), 0)]);
}

/** Who paid, as it is remembered. */
export function toText(parts: readonly Part[]): Paid["parts"] {
  return parts.map(([bucket, units]) => [bucket, units.toString()]);
}

/** The first answer again. */
function repeat(first: DecisionRecord, content: number): Decided {
  if (first.kind !== "consume" || first.content !== content)
    return problem("conflict", "This id belongs to another request; use a new id for a new decision.", "/id");
  const answers = first.answers.map((answer): Decision => ({ ...answer, duplicate: true }));
  return { reply: reply(answers), effect: "none" };
}

function reply(answers: readonly Decision[]): Decided["reply"] {
  const [only] = answers;
  if (only === undefined) throw new Error("A decision is about something.");
  if (answers.length === 1) return { kind: "decision", answer: only };
  const speaker = tightestAnswer(answers) ?? only;
  const allowed = answers.every((answer) => answer.allowed);
  return { kind: "decision", answer: { ...speaker, allowed, items: answers } };
}
