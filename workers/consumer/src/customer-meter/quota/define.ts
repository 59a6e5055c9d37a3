import type { BalanceDefinition, DefineReply, DefineRequest } from "@tidemark/contract";
import { formatExact } from "@tidemark/core";
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
  { definition, metered: told, mode, replaces, only_new = false }: Extract<DefineRequest, { readonly kind: "set" }>,
  now: number,
): Done {
  const known = quotas.balances.definition(definition.id);
  const before = replaces === null ? known : (quotas.balances.definition(replaces) ?? known);
  if (replaces !== null && before === undefined)
    return conflict("What this was to take the place of is not there any more. Look at what the customer has now.");
  quotas.all(now);
  quotas.metrics.learn(told);
  const metered = meteredOf(quotas, definition);
  const open =
    before === undefined ? [] : quotas.balances.ofDefinition(before.id).filter((live) => !live.balance.isEnded);
  const [first] = open;
  // The same request, sent again: what it asks for has been done.
  const isRepeated = replaces !== null && before === known && toExactJson(known) === toExactJson(definition);
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

function conflict(detail: string): Done {
  return { kind: "problem", code: "conflict", detail };
}

function grant(
  quotas: Quotas,
  { metric_id, id, units, expires_at, reason }: Extract<DefineRequest, { readonly kind: "grant" }>,
  now: number,
): Done {
  const live = quotas.of(metric_id, now, () => "").find(({ definition }) => definition.terms.base !== null);
  const metered = quotas.metrics.byId(metric_id);
  if (live === undefined || metered === undefined)
    return {
      kind: "problem",
      code: "no_allowance",
      detail: "The customer has no allowance of this metric to add to; set one with a base first.",
    };
  if (live.definition.terms.per !== null)
    return conflict("The limit is one for each label: raise its base, or set a limit for the whole customer.");
  if (live.grants.some((known) => known.id === id)) return { kind: "done", balance: live.describe(metered.metric) };
  const watch = quotas.watch(live, metered);
  if (units < 0 && !live.balance.deduct(-units)) {
    const left = formatExact(live.balance.view().remaining ?? 0, metered.metric.decimal_places);
    return { kind: "problem", code: "conflict", detail: `Only ${left} are left to take away.` };
  }
  if (units > 0) live.balance.grant({ id, kind: "top_up", expires_at, reason, units });
  live.note({ id, units: formatExact(units, metered.metric.decimal_places), expires_at, reason, at: now });
  quotas.crossed(watch, now);
  return { kind: "done", balance: live.describe(metered.metric) };
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
