import type { ProblemDetail } from "@tidemark/contract";
import { listUses } from "@tidemark/db/definitions";
import { toPointer } from "../../plumbing/pointer.ts";

/** Who still uses a metric or product. */
export interface Uses {
  /** As many as are looked for, at most. */
  readonly count: number;
  readonly errors: readonly ProblemDetail[];
  readonly isAll: boolean;
}

/** Uses that a refusal lists: enough to see what is going on. */
const LISTED_MAX = 20;

/** The live allowances and subscriptions of a metric or product, the first of them by customer. */
export async function readUses(
  db: D1Database,
  projectId: string,
  of: { readonly column: "metric_id" | "product_id"; readonly id: string },
): Promise<Uses> {
  const found = await listUses(db, projectId, of, LISTED_MAX + 1);
  const errors = found.slice(0, LISTED_MAX).map(({ customer_id, id, product_id }): ProblemDetail => {
    const kind = product_id === null ? "allowance" : "subscription";
    return {
      pointer: toPointer(["customers", customer_id, `${kind}s`, id]),
      code: `live_${kind}`,
      detail: `The customer ${customer_id} has the ${kind} ${id}.`,
    };
  });
  return { count: errors.length, errors, isAll: found.length === errors.length };
}

/** How many they are, in words. */
export function sayUses({ count, isAll }: Uses): string {
  const number = isAll ? `${count}` : `more than ${count}`;
  return `${number} allowance${count === 1 ? "" : "s"} or subscription${count === 1 ? "" : "s"}, which \`errors\` ${isAll ? "lists" : "begins to list"}`;
}
