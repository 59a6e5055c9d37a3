import {
  type BalanceDefinition,
  type DefineReply,
  type DefineRequest,
  type GrantNote,
  UNIQUE_LIMIT_MAX,
} from "@tidemark/contract";
import { addExact, formatExact } from "@tidemark/core";
import { toExactJson } from "@tidemark/core/exact-json";
import { LiveBalance } from "./live-balance.ts";
import type { Metered } from "./metered-metrics.ts";
import type { Quotas } from "./quotas.ts";

type Done = Omit<Extract<DefineReply, { readonly kind: "done" }>, "version"> | Exclude<DefineReply, { kind: "done" }>;

/** Carries out what a person set. */
export function define(quotas: Quotas, request: DefineRequest, now: number): Done {
  switch (request.kind) {
    case "set":
      return set(quotas, request, now);
    case "grant":
      return grant(quotas, request, now);
    case "end":
      return end(quotas, request.id, now);
  }
}

function set(
  quotas: Quotas,
  {
    definition,
    metered: told,
    mode,
    replaces,
    only_new = false,
    expected,
  }: Extract<DefineRequest, { readonly kind: "set" }>,
  now: number,
): Done {
  const known = quotas.balances.definition(definition.id);
  const replaced = replaces === null ? undefined : quotas.balances.definition(replaces);
  const isThere = known !== undefined && isAlike(known, definition);
  // The same request, sent again, finds that what it was to take the place of is gone.
  if (replaces !== null && replaced === undefined && !isThere)
    return conflict("What this was to take the place of is not there any more. Look at what the customer has now.");
  if (expected !== undefined && toExactJson(known) !== toExactJson(expected) && !isThere)
    return conflict("It has changed since it was read. Read it again and decide again.");
  quotas.all(now);
  quotas.metrics.learn(told);
  const metered = meteredOf(quotas, definition);
  const before = replaced ?? known;
  const open =
    before === undefined ? [] : quotas.balances.ofDefinition(before.id).filter((live) => !live.balance.isEnded);
  const [first] = open;
  if (expected !== undefined && first === undefined) return conflict("It has ended; set another one.");
  const isRepeated = isThere && (replaces !== null || (mode === "restart" && isYoung(first, now)));
  if (first !== undefined && (only_new || isRepeated)) return { kind: "done", balance: first.describe(metered.metric) };
  const isSame = before?.terms.per === definition.terms.per && before.metric_id === definition.metric_id;
  if (first !== undefined && !isSame)
    return conflict("A balance stays with its metric, and with its label. End this one and make another.");
  quotas.balances.define(definition);
  for (const live of open) {
    const watch = quotas.watch(live, metered);
    live.redefine(definition, mode, now);
    quotas.crossed(watch, now);
  }
  const live = first ?? LiveBalance.begin(definition, "", now);
  quotas.balances.adopt(live);
  quotas.balances.forgetUnused();
  return { kind: "done", balance: live.describe(metered.metric) };
}

/** Whether two definitions say the same, but for when their cycles begin: a request that is sent again is later. */
function isAlike(a: BalanceDefinition, b: BalanceDefinition): boolean {
  const withoutAnchor = ({ terms, ...rest }: BalanceDefinition): string =>
    toExactJson({ ...rest, terms: { ...terms, schedule: { ...terms.schedule, anchor: 0 } } });
  return withoutAnchor(a) === withoutAnchor(b);
}

/** Within this time a second restart is the first one, sent again. */
const RESTART_MS = 60_000;

function isYoung(live: LiveBalance | undefined, now: number): boolean {
  const current = live?.balance.state.current;
  return current !== undefined && current.index > 0 && now - current.start < RESTART_MS;
}

function conflict(detail: string): Done {
  return { kind: "problem", code: "conflict", detail };
}

function grant(
  quotas: Quotas,
  { metric_id, id, units, expires_at, reason }: Extract<DefineRequest, { readonly kind: "grant" }>,
  now: number,
): Done {
  const lives = quotas.of(metric_id, now, () => "").filter(({ definition }) => definition.terms.base !== null);
  const metered = quotas.metrics.byId(metric_id);
  // Of a limit of its own and one of a product, the former.
  const [live] = lives.toSorted((a, b) => (rankOf(a) < rankOf(b) ? -1 : 1));
  if (live === undefined || metered === undefined)
    return {
      kind: "problem",
      code: "no_allowance",
      detail: "The customer has no allowance of this metric to add to; set one with a base first.",
    };
  if (live.definition.terms.per !== null)
    return conflict("The limit is one for each label: raise its base, or set a limit for the whole customer.");
  const places = metered.metric.decimal_places;
  const wanted: GrantNote = { id, units: formatExact(units, places), expires_at, reason, at: now };
  const noted = lives.flatMap(({ grants }) => grants).find((known) => known.id === id);
  if (
    noted !== undefined &&
    (noted.units !== wanted.units || noted.reason !== reason || noted.expires_at !== expires_at)
  )
    return conflict("This id, or Idempotency-Key, belongs to another top-up; use a new one.");
  if (noted !== undefined) return { kind: "done", balance: live.describe(metered.metric) };
  const { allowance } = live;
  if (metered.metric.aggregation === "unique" && addExact(allowance ?? 0, units) > UNIQUE_LIMIT_MAX)
    return conflict(`Distinct values are limited exactly, which goes up to ${UNIQUE_LIMIT_MAX} in a cycle.`);
  const watch = quotas.watch(live, metered);
  if (units < 0 && !live.balance.deduct(-units)) {
    const left = formatExact(live.balance.view().remaining ?? 0, metered.metric.decimal_places);
    return { kind: "problem", code: "conflict", detail: `Only ${left} are left to take away.` };
  }
  if (units > 0) live.balance.grant({ id, kind: "top_up", expires_at, reason, units });
  live.noteGrant(wanted);
  quotas.crossed(watch, now);
  return { kind: "done", balance: live.describe(metered.metric) };
}

function rankOf({ definition }: LiveBalance): string {
  return `${definition.product === null ? 0 : 1}${definition.id}`;
}

function end(quotas: Quotas, id: string, now: number): Done {
  const lives = quotas.balances.ofDefinition(id);
  const [first] = lives;
  const metered = first === undefined ? undefined : quotas.metrics.byId(first.definition.metric_id);
  if (first === undefined || metered === undefined)
    return { kind: "problem", code: "not_found", detail: "There is no such allowance or subscription." };
  quotas.all(now);
  for (const live of lives) {
    live.touch();
    live.balance.end(now);
  }
  return { kind: "done", balance: first.describe(metered.metric) };
}

function meteredOf(quotas: Quotas, { metric_id }: BalanceDefinition): Metered {
  const metered = quotas.metrics.byId(metric_id);
  if (metered === undefined) throw new Error("The meter was not told of the metric.");
  return metered;
}
