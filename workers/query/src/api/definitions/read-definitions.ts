import {
  type BalanceDefinition,
  DEFINITIONS_EVER_MAX,
  type MeterAddress,
  type StoredBalance,
} from "@tidemark/contract";
import { fromExactJson } from "@tidemark/core/exact-json";
import { findCustomer } from "@tidemark/db/customers";
import { type DefinitionRow, listDefinitions } from "@tidemark/db/definitions";
import type { QueryEnv } from "../../env.ts";
import { readBalances } from "../../quota-meter.ts";
import { noSuchCustomer } from "../customers/customer.ts";

/** An allowance or subscription with where it stands. */
export interface HeldDefinition {
  readonly definition: BalanceDefinition;
  readonly created_at: number;
  readonly ended_at: number | null;
  /** One, or one for each label; none of what no meter holds: what has ended, and what has no metric. */
  readonly balances: readonly StoredBalance[];
}

/** Everything that a customer has and had. */
export interface CustomerDefinitions {
  readonly held: readonly HeldDefinition[];
  /** The copies in the database. */
  readonly rows: readonly DefinitionRow[];
  /** When the meter was asked, in milliseconds. */
  readonly as_of: number;
}

/**
 * What a customer has: as the meter knows it, and of what no meter holds as the database does.
 *
 * @throws Problem unavailable; not_found for a customer that neither knows.
 */
export async function requireDefinitions(env: QueryEnv, address: MeterAddress): Promise<CustomerDefinitions> {
  const [customer, { is_known, ...definitions }] = await Promise.all([
    findCustomer(env.DB, address.project_id, address.customer_id),
    readDefinitions(env, address),
  ]);
  if (customer === undefined && !is_known && definitions.rows.length === 0) throw noSuchCustomer();
  return definitions;
}

/** The same of a customer that may be unknown. */
export async function readDefinitions(
  env: QueryEnv,
  address: MeterAddress,
): Promise<CustomerDefinitions & { readonly is_known: boolean }> {
  const [{ balances, as_of, is_known }, rows] = await Promise.all([
    readBalances(env, address),
    listDefinitions(env.DB, address, DEFINITIONS_EVER_MAX),
  ]);
  const live = Map.groupBy(balances, ({ definition }) => definition.id);
  const held = Array.from(live.values(), toHeld);
  const others = rows.filter(({ id }) => !live.has(id)).map((row) => fromRow(row, as_of));
  return { held: [...others, ...held].toSorted(byAge), rows, as_of, is_known };
}

/** A definition that was just set, with all of its balances. */
export async function toHeldNow(env: QueryEnv, address: MeterAddress, balance: StoredBalance): Promise<HeldDefinition> {
  if (balance.definition.terms.per === null) return toHeld([balance]);
  const { balances } = await readBalances(env, address);
  return toHeld(balances.filter(({ definition }) => definition.id === balance.definition.id));
}

function toHeld(balances: readonly StoredBalance[]): HeldDefinition {
  const [first, ...others] = balances;
  if (first === undefined) throw new Error("A group is not empty.");
  const created = others.reduce((at, { created_at }) => Math.min(at, created_at), first.created_at);
  return { definition: first.definition, created_at: created, ended_at: first.ended_at, balances };
}

/** What has a metric and no meter holds is over, also if the database did not answer when it ended. */
function fromRow({ body, metric_id, created_at, ended_at }: DefinitionRow, asOf: number): HeldDefinition {
  const definition = fromExactJson(body) as BalanceDefinition;
  return { definition, created_at, ended_at: ended_at ?? (metric_id === null ? null : asOf), balances: [] };
}

function byAge(a: HeldDefinition, b: HeldDefinition): number {
  return a.created_at - b.created_at || (a.definition.id < b.definition.id ? -1 : 1);
}
