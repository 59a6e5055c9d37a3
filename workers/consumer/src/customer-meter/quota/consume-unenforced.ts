import type { Decision, UnenforcedConsume } from "@tidemark/contract";
import { type Exact, toExact } from "@tidemark/core";
import { noBalance, tightest, toAnswer } from "./answers.ts";
import type { Counted, Paid } from "./decision-record.ts";
import { commit, passes } from "./decide-reservation.ts";
import { memberOf } from "./decide-use.ts";
import { canonical, contentOf, type Desk, placeOf, Refused, toCounted } from "./desk.ts";
import { afterAllOf, endOf } from "./end-of.ts";
import type { Metered } from "./metered-metrics.ts";

/**
 * Counts consumes that were admitted while the meter could not be reached: they have happened, whatever the
 * limit says. One that did reach the meter, though its answer did not come back, is known by its id.
 *
 * @returns how many were new.
 */
export function consumeUnenforced(desk: Desk, consumed: readonly UnenforcedConsume[]): number {
  return consumed.reduce((fresh, consume) => fresh + (countOnce(desk, consume) ? 1 : 0), 0);
}

/** @returns whether it was new. */
function countOnce(desk: Desk, consume: UnenforcedConsume): boolean {
  const { id, items, properties } = consume;
  const { log } = desk.quotas;
  const known = log.find(id);
  if (desk.hasEvent(id)) return false;
  const [first] = items;
  if (known?.kind === "reserve" && first !== undefined && desk.quotas.holding(id, desk.now).length > 0) {
    // The reservation had been made after all, and only its answer was lost.
    const { amount } = first;
    commit(desk, { ...NOBODY, kind: "commit", reservation: id, amount, properties, on_excess: "overflow" });
    return true;
  }
  const isUncounted = known?.counted.length === 0 && (log.find(endOf(id))?.counted.length ?? 0) === 0;
  const name = isUncounted ? afterAllOf(id) : id;
  if (log.find(name) !== undefined) return false;
  const parts = items.map((item) => count(desk, consume, item));
  log.add({
    id: name,
    kind: "consume",
    at: desk.now,
    content: contentOf(
      items.map(({ metric, amount }) => [metric, canonical(amount)]),
      properties,
      null,
    ),
    counted: parts.flatMap(({ counted }) => counted),
    paid: parts.flatMap(({ paid }) => paid),
    answers: parts.map(({ answer }) => answer),
    extra: null,
  });
  return true;
}

/** The meter asks itself. */
const NOBODY = { project_id: "", customer_id: "", catalog_version: 0 } as const;

interface Part {
  readonly counted: readonly Counted[];
  readonly paid: readonly Paid[];
  readonly answer: Decision;
}

function count(
  { quotas, now }: Desk,
  { id, at, properties }: UnenforcedConsume,
  { metric: slug, amount, is_filtered = false }: UnenforcedConsume["items"][number],
): Part {
  const metered = quotas.metrics.bySlug(slug);
  const nothing = { ...noBalance(slug, "meter_unavailable"), allowed: true, enforced: false };
  const units = metered === undefined ? undefined : unitsOf(metered, amount, properties, now);
  const isOut = is_filtered && metered !== undefined && !passes(metered, properties);
  if (metered === undefined || units === undefined || isOut) return { counted: [], paid: [], answer: nothing };
  const { metric } = metered;
  const place = placeOf(metered, properties);
  const lives = quotas.of(metric.id, now, (path) => place.labels[metric.group_by.indexOf(path)] ?? "");
  const paid = lives.map((live) => {
    const watch = quotas.watch(live, metered);
    quotas.balances.adopt(live);
    live.touch();
    live.balance.fact((start) => quotas.valueIn(live, start, units), at, place.segments);
    quotas.crossed(watch, now);
    return { balance: live.key, parts: [] };
  });
  quotas.count({ metric, ...place, value: units, id, at });
  const shown = tightest(lives);
  const answer = shown === undefined ? nothing : toAnswer(metric, shown, { allowed: true });
  return {
    counted: [toCounted(metric, place, units, at)],
    paid,
    answer: { ...answer, reason: "meter_unavailable", enforced: false },
  };
}

/** What is counted; `undefined` for what cannot be. */
function unitsOf(
  metered: Metered,
  amount: number | string,
  properties: UnenforcedConsume["properties"],
  now: number,
): Exact | undefined {
  if (metered.metric.aggregation !== "unique") {
    const units = toExact(amount, metered.metric.decimal_places);
    return typeof units === "string" ? undefined : units;
  }
  try {
    return memberOf(metered, properties, now);
  } catch (error) {
    if (error instanceof Refused) return undefined;
    throw error;
  }
}
