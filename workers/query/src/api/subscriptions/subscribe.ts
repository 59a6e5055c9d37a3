import type { MeterAddress } from "@tidemark/contract";
import { type Subscribable, toSubscription } from "@tidemark/contract/subscribe";
import type { Subscription, SubscriptionInput } from "@tidemark/contract/subscription-schema";
import { findProduct, type ProductRow } from "@tidemark/db/products";
import { Problem } from "@tidemark/http/problem";
import type { QueryEnv } from "../../env.ts";
import { invalid } from "../../plumbing/issues.ts";
import { define } from "../definitions/define.ts";
import { metricsOf, requireMetricOf } from "../definitions/metrics-of.ts";
import { newDefinitionId } from "../definitions/new-definition-id.ts";
import {
  type CustomerDefinitions,
  type HeldDefinition,
  readDefinitions,
  toHeldNow,
} from "../definitions/read-definitions.ts";
import { requireMetered } from "../definitions/require-metered.ts";
import { readSchedule, readZone } from "../definitions/schedule.ts";
import { toProductDefinition } from "../products/product.ts";
import { subscribeToFee } from "./subscribe-to-fee.ts";
import { isLive, toSubscription as toAnswer } from "./subscription.ts";

/** A subscription that is wanted, with everything that was found out about it. */
export interface Plan {
  /** The id that it gets, or has if it was made before and the database did not take note. */
  readonly id: string;
  readonly product: Subscribable;
  readonly anchor: number;
  readonly time_zone: string;
  /** Nothing is replaced any more when the same request has been carried out before. */
  readonly replaced: HeldDefinition | undefined;
  /** What that request replaced, while the database did not take note. */
  readonly forgotten: string | null;
  readonly change: NonNullable<SubscriptionInput["change"]>;
}

/**
 * Subscribes a customer to a product, with the terms and prices that it has now. A customer has one
 * subscription of a metric at most.
 *
 * @throws Problem invalid_request, conflict, unavailable.
 */
export async function subscribe(env: QueryEnv, address: MeterAddress, input: SubscriptionInput): Promise<Subscription> {
  const row = await findProduct(env.DB, address.project_id, input.product);
  if (row === undefined)
    throw fault(
      "/product",
      "unknown_product",
      "The project has no product with this slug; GET /v1/products lists them.",
    );
  const [time_zone, definitions] = await Promise.all([readZone(env.DB, address), readDefinitions(env, address)]);
  const plan = planSubscription(address, { row, time_zone, definitions }, input);
  if (row.metric_id === null) return toAnswer(await subscribeToFee(env, address, plan), undefined);
  const metered = await requireMetered(env.DB, address, row.metric_id);
  const sold = toSubscription(plan.product, metered.metric, plan);
  if ("faults" in sold)
    throw new Problem(
      "conflict",
      `The product does not go with its metric any more; change the product. ${sold.faults.map(({ detail }) => detail).join(" ")}`,
    );
  const { replaced, forgotten, change } = plan;
  const request = {
    ...address,
    kind: "set",
    definition: sold.definition,
    metered,
    mode: change,
    replaces: replaced?.definition.id ?? null,
    // One that was made before stays as it is, whether this request made it or one that came with it.
    only_new: replaced === undefined,
  } as const;
  const balance = await define(env, request, forgotten);
  const made = balance.definition.product;
  if (made !== null && made.id !== row.id) throw subscribed(balance.definition.id, "this metric", made.slug);
  const held = await toHeldNow(env, address, balance);
  return toAnswer(held, requireMetricOf(await metricsOf(env.DB, address.project_id, [held]), held));
}

interface Found {
  readonly row: ProductRow;
  readonly time_zone: string;
  readonly definitions: CustomerDefinitions;
}

function planSubscription(
  address: MeterAddress,
  { row, time_zone, definitions }: Found,
  input: SubscriptionInput,
): Plan {
  const product = { id: row.id, slug: row.slug, definition: toProductDefinition(row.definition) };
  const id = newDefinitionId(address, definitions, { prefix: "sub", subject: row.metric_id ?? row.id });
  const live = definitions.held.filter(isLive);
  const repeated = live.find(({ definition }) => definition.id === id && definition.product?.id === row.id);
  const replaced = repeated === undefined ? findReplaced(live, row, input) : undefined;
  const forgotten = repeated === undefined ? null : findForgotten(definitions.held, row, input);
  const before = (repeated ?? replaced)?.definition.terms.schedule ?? null;
  // A cycle that begins anew is a whole one.
  const schedule = input.change === "restart" && repeated === undefined ? null : before;
  const { anchor, time_zone: zone } = readSchedule(
    { anchor: input.anchor, time_zone: input.time_zone },
    { schedule, now: Date.now(), time_zone: before?.time_zone ?? time_zone },
    "",
  );
  return { id, product, anchor, time_zone: zone, replaced, forgotten, change: input.change ?? "keep" };
}

/** What a request that is sent again has replaced: no meter holds it any more. */
function findForgotten(
  held: readonly HeldDefinition[],
  { metric_id }: ProductRow,
  { replaces }: SubscriptionInput,
): string | null {
  const isIt = ({ definition, balances }: HeldDefinition): boolean =>
    definition.id === replaces && definition.metric_id === metric_id && balances.length === 0;
  return held.find(isIt)?.definition.id ?? null;
}

/** The subscription that is replaced; none but this may be of the same metric, or of the same product without one. */
function findReplaced(
  live: readonly HeldDefinition[],
  row: ProductRow,
  { replaces }: SubscriptionInput,
): HeldDefinition | undefined {
  const metricId = row.metric_id ?? "";
  const replaced = live.find(({ definition }) => definition.id === replaces);
  if (replaces !== undefined && replaced === undefined)
    throw fault("/replaces", "unknown_subscription", "The customer has no subscription with this id in force.");
  if (replaced !== undefined && replaced.definition.metric_id !== metricId)
    throw fault(
      "/replaces",
      "invalid_value",
      "Is of another metric, so nothing of it could be kept: cancel it, and subscribe without `replaces`.",
    );
  const other = live.find(
    ({ definition }) =>
      definition.id !== replaces &&
      definition.metric_id === metricId &&
      (metricId !== "" || definition.product?.id === row.id),
  );
  if (other === undefined) return replaced;
  const { id, product } = other.definition;
  throw subscribed(id, metricId === "" ? "this product" : "this metric", product?.slug ?? "");
}

function subscribed(id: string, what: string, slug: string): Problem {
  const detail = `The customer has a subscription of ${what}, to ${slug}: name ${id} in \`replaces\`, or cancel it first.`;
  return new Problem("conflict", detail, { errors: [{ pointer: "/replaces", code: "subscribed", detail }] });
}

function fault(pointer: string, code: string, detail: string): Problem {
  return invalid([{ pointer, code, detail }]);
}
