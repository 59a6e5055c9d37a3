import type { JobKind, JobParams, JobProgress, JobState } from "@tidemark/contract";

/** Work on the archive: a recount, or a question. */
export interface Job {
  readonly project_id: string;
  readonly id: string;
  readonly kind: JobKind;
  readonly state: JobState;
  readonly params: JobParams;
  readonly progress: JobProgress;
  /** Milliseconds, as all times. */
  readonly created_at: number;
  readonly updated_at: number;
  readonly finished_at: number | null;
}

interface JobRow extends Omit<Job, "params" | "progress"> {
  readonly params: string;
  readonly progress: string;
}

const COLUMNS = "project_id, id, kind, state, params, progress, created_at, updated_at, finished_at";

function toJob({ params, progress, ...row }: JobRow): Job {
  return { ...row, params: JSON.parse(params) as JobParams, progress: JSON.parse(progress) as JobProgress };
}

/** What a backfill changes in the version of the metric that it counts. */
export interface BackfilledSpan {
  readonly metric_id: string;
  readonly version: number;
  /** Milliseconds, half-open. */
  readonly from: number;
  readonly until: number;
  /** From when limits and charges follow; `null` leaves it. */
  readonly effective_from: number | null;
}

/** Recounts change what is counted, one at a time; questions change nothing. */
const IS_RECOUNT = "kind <> 'query'";
const IS_UNDER_WAY = "state IN ('waiting', 'running')";

/**
 * Stores a recount, unless the project has one under way, and raises the catalog version, so that every event
 * is from now on evaluated with what the job begins with: both or neither.
 *
 * @returns whether it was stored.
 */
export async function insertJob(db: D1Database, job: Job, span: BackfilledSpan | null): Promise<boolean> {
  const { project_id, id, kind, state, params, progress, created_at, updated_at } = job;
  const isStored = "EXISTS (SELECT 1 FROM jobs WHERE project_id = ? AND id = ?)";
  const statements = [
    db
      .prepare(
        `INSERT INTO jobs (project_id, id, kind, state, params, progress, leased_until, created_at, updated_at)
         SELECT ?, ?, ?, ?, ?, ?, 0, ?, ?
         WHERE NOT EXISTS (SELECT 1 FROM jobs WHERE project_id = ? AND ${IS_UNDER_WAY} AND ${IS_RECOUNT})
         RETURNING id`,
      )
      .bind(
        project_id,
        id,
        kind,
        state,
        JSON.stringify(params),
        JSON.stringify(progress),
        created_at,
        updated_at,
        project_id,
      ),
    db
      .prepare(`UPDATE projects SET catalog_version = catalog_version + 1 WHERE id = ? AND ${isStored}`)
      .bind(project_id, project_id, id),
  ];
  if (span !== null) {
    const change = db.prepare(
      `UPDATE metric_versions
       SET backfilled = json_insert(backfilled, '$[#]', json_array(CAST(? AS INTEGER), CAST(? AS INTEGER))), effective_from = COALESCE(?, effective_from)
       WHERE project_id = ? AND metric_id = ? AND version = ? AND ${isStored}`,
    );
    const { from, until, effective_from, metric_id, version } = span;
    statements.push(change.bind(from, until, effective_from, project_id, metric_id, version, project_id, id));
  }
  const [inserted] = await db.batch(statements);
  return inserted?.results.length === 1;
}

/** A project's job. */
export async function findJob(db: D1Database, projectId: string, id: string): Promise<Job | undefined> {
  const statement = db.prepare(`SELECT ${COLUMNS} FROM jobs WHERE project_id = ? AND id = ?`);
  const row = await statement.bind(projectId, id).first<JobRow>();
  return row === null ? undefined : toJob(row);
}

/** Stores a question, unless the project has as many under way as it may. @returns whether it was stored. */
export async function insertQuery(db: D1Database, job: Job, activeMax: number): Promise<boolean> {
  const { project_id, id, state, params, progress, created_at, updated_at } = job;
  const statement = db.prepare(
    `INSERT INTO jobs (project_id, id, kind, state, params, progress, leased_until, created_at, updated_at)
     SELECT ?1, ?2, 'query', ?3, ?4, ?5, 0, ?6, ?7
     WHERE (SELECT COUNT(*) FROM jobs WHERE project_id = ?1 AND ${IS_UNDER_WAY} AND kind = 'query') < ?8
     RETURNING id`,
  );
  const stored = await statement
    .bind(project_id, id, state, JSON.stringify(params), JSON.stringify(progress), created_at, updated_at, activeMax)
    .first();
  return stored !== null;
}

/** The recount that a project has under way, if any. */
export async function findActiveJob(db: D1Database, projectId: string): Promise<Job | undefined> {
  const statement = db.prepare(
    `SELECT ${COLUMNS} FROM jobs INDEXED BY jobs_by_project WHERE project_id = ? AND ${IS_UNDER_WAY} AND ${IS_RECOUNT} ORDER BY created_at DESC LIMIT 1`,
  );
  const row = await statement.bind(projectId).first<JobRow>();
  return row === null ? undefined : toJob(row);
}

/** The questions that a project has under way. */
export async function listActiveQueries(db: D1Database, projectId: string, limit: number): Promise<readonly Job[]> {
  const statement = db.prepare(
    `SELECT ${COLUMNS} FROM jobs INDEXED BY jobs_by_project WHERE project_id = ? AND ${IS_UNDER_WAY} AND kind = 'query' ORDER BY created_at DESC LIMIT ?`,
  );
  const { results } = await statement.bind(projectId, limit).all<JobRow>();
  return results.map(toJob);
}

/** The latest jobs of a project, without the results of questions. */
export async function listJobs(db: D1Database, projectId: string, limit: number): Promise<readonly Job[]> {
  const statement = db.prepare(
    `SELECT ${COLUMNS.replace("progress", "json_remove(progress, '$.query.result') AS progress")}
     FROM jobs WHERE project_id = ? ORDER BY created_at DESC, id DESC LIMIT ?`,
  );
  const { results } = await statement.bind(projectId, limit).all<JobRow>();
  return results.map(toJob);
}

/** Takes a job that is under way and that nobody works on, until the lease ends. */
export async function leaseJob(
  db: D1Database,
  address: { readonly project_id: string; readonly job_id: string },
  now: number,
  leasedUntil: number,
): Promise<Job | undefined> {
  const statement = db.prepare(
    `UPDATE jobs SET state = 'running', leased_until = ?, updated_at = ?
     WHERE project_id = ? AND id = ? AND state IN ('waiting', 'running') AND leased_until <= ?
     RETURNING ${COLUMNS}`,
  );
  const row = await statement.bind(leasedUntil, now, address.project_id, address.job_id, now).first<JobRow>();
  return row === null ? undefined : toJob(row);
}

/** The runner's own lease, so that one that was too slow changes nothing any more. */
const STILL_MINE = "project_id = ? AND id = ? AND state = 'running' AND leased_until = ?";

/**
 * Notes how far a job is, together with other writes.
 *
 * @returns false when the lease was lost to another runner.
 */
export async function saveProgress(
  db: D1Database,
  job: Pick<Job, "project_id" | "id">,
  progress: JobProgress,
  times: { readonly now: number; readonly lease: number; readonly leasedUntil: number },
  writes: readonly D1PreparedStatement[],
): Promise<boolean> {
  const save = db
    .prepare(`UPDATE jobs SET progress = ?, updated_at = ?, leased_until = ? WHERE ${STILL_MINE} RETURNING id`)
    .bind(JSON.stringify(progress), times.now, times.leasedUntil, job.project_id, job.id, times.lease);
  const outcomes = await db.batch([...writes, save]);
  return outcomes.at(-1)?.results.length === 1;
}

/** Ends a job. A backfill that succeeded is shown from where it began. */
export async function finishJob(
  db: D1Database,
  job: Job,
  outcome: { readonly state: "done" | "failed"; readonly progress: JobProgress },
  { now, lease }: { readonly now: number; readonly lease: number },
): Promise<void> {
  const { project_id, id, kind, params } = job;
  const statements = [
    db
      .prepare(`UPDATE jobs SET state = ?, progress = ?, updated_at = ?, finished_at = ? WHERE ${STILL_MINE}`)
      .bind(outcome.state, JSON.stringify(outcome.progress), now, now, project_id, id, lease),
    db.prepare("DELETE FROM job_customers WHERE project_id = ? AND job_id = ?").bind(project_id, id),
  ];
  if (kind === "backfill" && outcome.state === "done" && params.metric !== null) {
    const show = db.prepare(
      "UPDATE metric_versions SET shown_from = MIN(shown_from, ?) WHERE project_id = ? AND metric_id = ? AND version = ?",
    );
    statements.push(show.bind(params.from_day * DAY_MS, project_id, params.metric.id, params.metric.version));
  }
  await db.batch(statements);
}

const DAY_MS = 86_400_000;

/** Jobs that nobody works on although they are under way. */
export async function listStalledJobs(
  db: D1Database,
  now: number,
  limit: number,
): Promise<readonly { readonly project_id: string; readonly job_id: string }[]> {
  const statement = db.prepare(
    `SELECT project_id, id AS job_id FROM jobs INDEXED BY jobs_by_state
     WHERE state IN ('waiting', 'running') AND leased_until <= ? LIMIT ?`,
  );
  const { results } = await statement.bind(now, limit).all<{ project_id: string; job_id: string }>();
  return results;
}
