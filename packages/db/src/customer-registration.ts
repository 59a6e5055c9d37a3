/** Registers customers that a batch of events reached for the first time. Known ones stay as they are. */
export function registerCustomers(
  db: D1Database,
  projectId: string,
  now: number,
  customers: readonly { readonly customer_id: string; readonly first_seen_at: number }[],
): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO customers (project_id, customer_id, first_seen_at, created_at)
       SELECT ?1, value ->> 0, value ->> 1, ?2 FROM json_each(?3) WHERE true ON CONFLICT DO NOTHING`,
    )
    .bind(projectId, now, JSON.stringify(customers.map((customer) => [customer.customer_id, customer.first_seen_at])));
}
