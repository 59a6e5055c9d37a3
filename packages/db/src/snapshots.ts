import { SNAPSHOTS_MAX } from "@tidemark/contract/query-limits";
import { markUsage } from "./usage-marks.ts";

/** An answer that is kept, with what it was made of. */
export interface SnapshotRow {
  /** Versions of usage and catalog. */
  readonly mark: string;
  /** Milliseconds. */
  readonly made_at: number;
  readonly took_ms: number;
  /** The answer as JSON. */
  readonly body: string;
}

const MARK = `
  SELECT COALESCE((SELECT version FROM usage_marks WHERE project_id = ?1), 0) || ':' || catalog_version AS mark
  FROM projects WHERE id = ?1`;

const SNAPSHOT = "SELECT mark, made_at, took_ms, body FROM snapshots WHERE project_id = ?1 AND key = ?2";

/** What reports would be made of now, and the answer to a question as it was kept. Three rows. */
export async function findSnapshot(
  db: D1Database,
  projectId: string,
  key: string,
): Promise<{ readonly mark: string; readonly kept: SnapshotRow | undefined }> {
  const [marks, kept] = await db.batch([db.prepare(MARK).bind(projectId), db.prepare(SNAPSHOT).bind(projectId, key)]);
  const [{ mark } = { mark: "" }] = (marks?.results ?? []) as { readonly mark: string }[];
  return { mark, kept: (kept?.results as SnapshotRow[] | undefined)?.[0] };
}

/** Beyond so many of a project, the oldest go. */
const SURPLUS = `
  DELETE FROM snapshots WHERE rowid IN (
    SELECT rowid FROM snapshots WHERE project_id = ?1 ORDER BY made_at DESC LIMIT ?3 OFFSET ?2)`;

/** Rows that one statement deletes: a few may have come at once. */
const SURPLUS_MAX = 50;

/** Keeps an answer, and forgets the oldest of those that the project has more than `SNAPSHOTS_MAX` of. */
export async function keepSnapshot(
  db: D1Database,
  projectId: string,
  key: string,
  { mark, made_at, took_ms, body }: SnapshotRow,
): Promise<void> {
  const keep = db
    .prepare(
      `INSERT INTO snapshots (project_id, key, mark, made_at, took_ms, body) VALUES (?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET mark = excluded.mark, made_at = excluded.made_at, took_ms = excluded.took_ms,
         body = excluded.body
       WHERE excluded.made_at >= snapshots.made_at`,
    )
    .bind(projectId, key, mark, made_at, took_ms, body);
  await db.batch([keep, db.prepare(SURPLUS).bind(projectId, SNAPSHOTS_MAX, SURPLUS_MAX)]);
}

/** Says that something else than usage or catalog has changed what reports show. */
export async function outdateSnapshots(db: D1Database, projectId: string, now: number): Promise<void> {
  await markUsage(db, [projectId], now).run();
}

/** Forgets what was made before an instant, up to so many. */
export async function deleteOldSnapshots(db: D1Database, before: number, limit: number): Promise<void> {
  await db
    .prepare("DELETE FROM snapshots WHERE rowid IN (SELECT rowid FROM snapshots WHERE made_at < ?1 LIMIT ?2)")
    .bind(before, limit)
    .run();
}
