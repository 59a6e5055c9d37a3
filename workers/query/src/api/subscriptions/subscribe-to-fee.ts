import type { BalanceDefinition, MeterAddress } from "@tidemark/contract";
import { toProductTerms, UNLIMITED_TERMS } from "@tidemark/contract/subscribe";
import { cycleAt } from "@tidemark/core/cycle";
import { endDefinition, toDefinitionRow, writeDefinition, writeReplacement } from "@tidemark/db/definitions";
import { Problem } from "@tidemark/http/problem";
import type { QueryEnv } from "../../env.ts";
import { copy } from "../definitions/define.ts";
import type { HeldDefinition } from "../definitions/read-definitions.ts";
import type { Plan } from "./subscribe.ts";

/**
 * Subscribes to a product without a metric. Nothing of it is counted, so no meter knows of it: the database
 * alone does, and its statements follow from when it began and ended.
 *
 * @throws Problem conflict, unavailable.
 */
export async function subscribeToFee(
  env: QueryEnv,
  address: MeterAddress,
  { id, product, anchor, time_zone, replaced, change }: Plan,
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
    product: toProductTerms(product, null),
  };
  const held = { definition, created_at: now, ended_at: null, balances: [] };
  const row = toDefinitionRow(held, now);
  if (replaced === undefined) {
    await copy(env, address, [writeDefinition(env.DB, address, row)]);
    return held;
  }
  const { id: before, terms } = replaced.definition;
  // A cycle that goes on is the new one's, and charged once.
  const at = change === "restart" ? now : cycleAt(terms.schedule, now).start;
  // A row's first version is when it was made.
  const version = Math.max(now, replaced.created_at + 1);
  const [written] = await copy(env, address, [
    writeReplacement(env.DB, address, row, before),
    endDefinition(env.DB, address, { id: before, version, at }),
  ]);
  if (written?.results.length === 1) return held;
  throw new Problem("conflict", `Another request has ended or replaced ${before}; look at what the customer has now.`);
}
