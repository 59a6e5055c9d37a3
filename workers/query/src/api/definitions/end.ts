import type { MeterAddress } from "@tidemark/contract";
import { toDefinitionRow, writeDefinition } from "@tidemark/db/definitions";
import type { QueryEnv } from "../../env.ts";
import { copy, define } from "./define.ts";
import type { CustomerDefinitions, HeldDefinition } from "./read-definitions.ts";

/** Ends an allowance or subscription now; one that has ended stays as it is. */
export async function end(
  env: QueryEnv,
  address: MeterAddress,
  { rows }: Pick<CustomerDefinitions, "rows">,
  held: HeldDefinition,
): Promise<void> {
  const { id } = held.definition;
  const row = rows.find((one) => one.id === id);
  if (held.ended_at !== null && row?.ended_at !== null) return;
  if (held.balances.length > 0) {
    await define(env, { ...address, kind: "end", id });
    return;
  }
  // No meter holds it: it has no metric, or has ended long ago while the database did not answer.
  const now = Date.now();
  const ended = toDefinitionRow({ ...held, ended_at: now }, Math.max(now, (row?.version ?? 0) + 1));
  await copy(env, address, [writeDefinition(env.DB, address, ended)]);
}
