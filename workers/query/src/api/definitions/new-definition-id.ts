import { DEFINITIONS_EVER_MAX, DEFINITIONS_MAX, type MeterAddress } from "@tidemark/contract";
import { definitionId } from "@tidemark/contract/subscribe";
import { Problem } from "@tidemark/http/problem";
import type { CustomerDefinitions } from "./read-definitions.ts";

/** What a definition is of, and what is made of it. */
export interface NewDefinition {
  readonly prefix: "alw" | "sub";
  /** A metric's id; of a product without one, the product's. */
  readonly subject: string;
}

/**
 * The id of a new allowance or subscription. While the database does not know of one that the meter has
 * made, the same request gets the same id again.
 *
 * @throws Problem conflict when the customer has as many as there can be.
 */
export function newDefinitionId(
  address: MeterAddress,
  { held, rows }: CustomerDefinitions,
  { prefix, subject }: NewDefinition,
): string {
  const live = held.filter(({ ended_at }) => ended_at === null).length;
  if (live >= DEFINITIONS_MAX || rows.length >= DEFINITIONS_EVER_MAX)
    throw new Problem(
      "conflict",
      `The customer has ${live} allowances and subscriptions, and had ${rows.length}: at most ${DEFINITIONS_MAX} at a time, and ${DEFINITIONS_EVER_MAX} in all.`,
    );
  const taken = new Set(rows.map(({ id }) => id));
  for (let before = 0; ; before++) {
    const id = definitionId(prefix, address, subject, before);
    if (!taken.has(id)) return id;
  }
}
