import type { Customer } from "@tidemark/contract/customer-schema";
import type { CustomerRow } from "@tidemark/db/customers";
import { Problem } from "@tidemark/http/problem";
import { toInstantText, toOptionalInstant } from "../../plumbing/instant.ts";

/** A stored customer as it is answered. */
export function toCustomer(row: CustomerRow): Customer {
  return {
    customer_id: row.customer_id,
    name: row.name,
    plan: row.plan,
    time_zone: row.time_zone,
    attributes: row.attributes === null ? {} : (JSON.parse(row.attributes) as Customer["attributes"]),
    first_seen_at: toOptionalInstant(row.first_seen_at),
    created_at: toInstantText(row.created_at),
  };
}

/** The answer to an id that is nobody's, or another project's. */
export function noSuchCustomer(): Problem {
  return new Problem("not_found", "The project has no customer with this id; one appears with its first event.");
}
