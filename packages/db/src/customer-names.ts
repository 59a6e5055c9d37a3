/** What people call some customers; who has no name is left out. */
export async function readCustomerNames(
  db: D1Database,
  projectId: string,
  customerIds: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  if (customerIds.length === 0) return new Map();
  const { results } = await db
    .prepare(
      `SELECT c.customer_id, c.name FROM json_each(?1) AS wanted
       CROSS JOIN customers AS c ON c.project_id = ?2 AND c.customer_id = wanted.value
       WHERE c.name IS NOT NULL`,
    )
    .bind(JSON.stringify(customerIds), projectId)
    .all<{ readonly customer_id: string; readonly name: string }>();
  return new Map(results.map(({ customer_id, name }) => [customer_id, name]));
}
