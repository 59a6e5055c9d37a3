interface JobAddress {
  readonly project_id: string;
  readonly id: string;
}

/** Notes customers before their meters are called: those that the job has not met yet, in this pass. */
export async function addJobCustomers(
  db: D1Database,
  job: JobAddress,
  pass: number,
  customerIds: readonly string[],
): Promise<void> {
  const statement = db.prepare(
    `INSERT INTO job_customers (project_id, job_id, customer_id, pass, state)
     SELECT ?, ?, value, ?, 'open' FROM json_each(?) WHERE true ON CONFLICT DO NOTHING`,
  );
  await statement.bind(job.project_id, job.id, pass, JSON.stringify(customerIds)).run();
}

/** Notes customers whose meters need no recount. */
export function markNeedless(db: D1Database, job: JobAddress, customerIds: readonly string[]): D1PreparedStatement {
  return update(db, "pass = 0, state = 'closed'", job, customerIds);
}

/** Where a meter of a job is: with books that fill, compared with them, without them. */
export type BooksState = "open" | "compared" | "closed";

export function markBooks(
  db: D1Database,
  job: JobAddress,
  customerIds: readonly string[],
  state: Exclude<BooksState, "open">,
): D1PreparedStatement {
  return update(db, `state = '${state}'`, job, customerIds);
}

function update(db: D1Database, change: string, job: JobAddress, customerIds: readonly string[]): D1PreparedStatement {
  return db
    .prepare(
      `UPDATE job_customers SET ${change}
       WHERE project_id = ? AND job_id = ? AND customer_id IN (SELECT value FROM json_each(?))`,
    )
    .bind(job.project_id, job.id, JSON.stringify(customerIds));
}

/** How many customers a pass met first. */
export async function countMet(db: D1Database, job: JobAddress, pass: number): Promise<number> {
  const statement = db.prepare(
    "SELECT COUNT(*) AS met FROM job_customers WHERE project_id = ? AND job_id = ? AND pass = ?",
  );
  return (await statement.bind(job.project_id, job.id, pass).first<number>("met")) ?? 0;
}

/** A customer of a job, and the pass that met it first. */
export interface JobCustomer {
  readonly customer_id: string;
  readonly pass: number;
}

/** The next customers after a cursor whose meters are in one of some states. */
export async function listJobCustomers(
  db: D1Database,
  job: JobAddress,
  page: { readonly states: readonly BooksState[]; readonly after: string | null; readonly limit: number },
): Promise<readonly JobCustomer[]> {
  const statement = db.prepare(
    `SELECT customer_id, pass FROM job_customers
     WHERE project_id = ? AND job_id = ? AND customer_id > ? AND state IN (SELECT value FROM json_each(?))
     ORDER BY customer_id LIMIT ?`,
  );
  const { results } = await statement
    .bind(job.project_id, job.id, page.after ?? "", JSON.stringify(page.states), page.limit)
    .all<JobCustomer>();
  return results;
}
