/**
 * Registers customers that a batch of events reached for the first time, or that a person named before any
 * event did (`null`). Known ones stay as they are; those that had no event get the time of their first.
 */
export function registerCustomers(
  db: D1Database,
  projectId: string,
  now: number,
  customers: readonly { readonly customer_id: string; readonly first_seen_at: number | null }[],
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO customers (project_id, customer_id, first_seen_at, created_at)
       SELECT ?1, value ->> 0, value ->> 1, ?2 FROM json_each(?3) WHERE true
       ON CONFLICT DO UPDATE SET first_seen_at = excluded.first_seen_at
       WHERE customers.first_seen_at IS NULL AND excluded.first_seen_at IS NOT NULL`,
    )
    .bind(projectId, now, JSON.stringify(customers.map((customer) => [customer.customer_id, customer.first_seen_at])));
}
