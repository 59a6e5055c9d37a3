import type { BalanceDefinition, MeterAddress } from "@tidemark/contract";
import { toProductTerms, UNLIMITED_TERMS } from "@tidemark/contract/subscribe";
import { endDefinition, toDefinitionRow, writeDefinition } from "@tidemark/db/definitions";
import type { QueryEnv } from "../../env.ts";
import { copy } from "../definitions/define.ts";
import type { HeldDefinition } from "../definitions/read-definitions.ts";
import type { Plan } from "./subscribe.ts";

/**
 * Subscribes to a product without a metric. Nothing of it is counted, so no meter knows of it: the database
 * alone does, and its statements follow from when it began and ended.
 */
export async function subscribeToFee(
  env: QueryEnv,
  address: MeterAddress,
  { id, product, anchor, time_zone, replaced }: Plan,
): Promise<HeldDefinition> {
  const now = Date.now();
  const { late, enforcement, per, starts_from, grace_seconds, unavailable } = UNLIMITED_TERMS;
  const definition: BalanceDefinition = {
    id,
    metric_id: "",
    terms: {
      base: null,
      aggregation: "count",
      carryover: null,
      accumulates: false,
      by_segment: false,
      grace_ms: grace_seconds * 1000,
      schedule: { interval: product.definition.cycle_interval, anchor, time_zone },
      late,
      enforcement,
      per,
      starts_from,
    },
    unavailable,
    product: toProductTerms(product, []),
  };
  const held = { definition, created_at: now, ended_at: null, balances: [] };
  const statements = [writeDefinition(env.DB, address, toDefinitionRow(held, now))];
  if (replaced !== undefined)
    statements.push(endDefinition(env.DB, address, { id: replaced.definition.id, version: now, at: now }));
  await copy(env, address, statements);
  return held;
}
