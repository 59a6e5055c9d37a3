import type { DefineReply, DefineRequest, MeterAddress, StoredBalance } from "@tidemark/contract";
import { registerCustomers } from "@tidemark/db/customer-registration";
import { endDefinition, toDefinitionRow, writeDefinition } from "@tidemark/db/definitions";
import type { QueryEnv } from "../../env.ts";
import { requireMeter, toProblem, unavailable } from "../../quota-meter.ts";

/**
 * Has a customer's meter carry out what a person set, then copies it to the database. What fails in
 * between can be sent again with the same effect.
 *
 * @param forgotten what an earlier try of the same request has replaced without the database taking note.
 * @throws Problem unavailable, and whatever the meter finds wrong.
 */
export async function define(
  env: QueryEnv,
  request: DefineRequest,
  forgotten: string | null = null,
): Promise<StoredBalance> {
  const reply = await requireMeter(env, request, async (meter): Promise<DefineReply> => meter.define(request));
  if (reply.kind === "problem") throw toProblem(reply);
  const { balance, version } = reply;
  const statements = [writeDefinition(env.DB, request, toDefinitionRow(balance, version))];
  const replaced = (request.kind === "set" ? request.replaces : null) ?? forgotten;
  if (replaced !== null && replaced !== balance.definition.id)
    statements.push(endDefinition(env.DB, request, { id: replaced, version, at: Date.now() }));
  await copy(env, request, statements);
  return balance;
}

/** Writes to the database what holds already; the customer may be new to it. @returns what each statement answered. */
export async function copy(
  { DB }: QueryEnv,
  { project_id, customer_id }: MeterAddress,
  statements: readonly D1PreparedStatement[],
): Promise<readonly D1Result[]> {
  const register = registerCustomers(DB, project_id, Date.now(), [{ customer_id, first_seen_at: null }]);
  try {
    const [, ...results] = await DB.batch([register, ...statements]);
    return results;
  } catch (error) {
    console.error(JSON.stringify({ at: "copy-definition", error: String(error) }));
    throw unavailable("It holds, but the database did not take note of it; send the same request again.");
  }
}
