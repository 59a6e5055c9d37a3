import type { Notice } from "@tidemark/contract";
import { sql } from "drizzle-orm";
import { prepare } from "./prepare.ts";

/** A digest as it is stored. */
export interface StoredDigest {
  readonly project_id: string;
  readonly id: string;
  readonly name: string;
  readonly metric_id: string;
  readonly destination_id: string;
  /** 1 is Monday; in the project's zone, like the hour. */
  readonly weekday: number;
  readonly hour: number;
  /** When the next is due, in milliseconds. */
  readonly next_at: number;
  /** When it is made: once it is due, and later where that has failed. */
  readonly try_at: number;
  /** Why the last one was not made; `null` when it was. */
  readonly last_error: string | null;
  readonly created_at: number;
  readonly updated_at: number;
}

/** A digest with what its metric is called now. */
export interface DigestRow extends StoredDigest {
  readonly metric: string;
}

/** Stores a digest. @returns whether there was room, its metric and its destination. */
export async function insertDigest(db: D1Database, digest: StoredDigest, projectMax: number): Promise<boolean> {
  const { project_id, id, name, metric_id, destination_id, weekday, hour } = digest;
  const { next_at, try_at, last_error, created_at, updated_at } = digest;
  const insert = sql`
    INSERT INTO digests (project_id, id, name, metric_id, destination_id, weekday, hour, next_at, try_at, last_error,
      created_at, updated_at)
    SELECT ${project_id}, ${id}, ${name}, ${metric_id}, ${destination_id}, ${weekday}, ${hour}, ${next_at}, ${try_at},
      ${last_error}, ${created_at}, ${updated_at}
    WHERE (SELECT COUNT(*) FROM digests WHERE project_id = ${project_id}) < ${projectMax} AND ${haveTheirs(digest)}`;
  return (await prepare(db, insert).run()).meta.changes > 0;
}

/** Puts a digest in the place of what it was made from. @returns false when that has changed meanwhile, or is gone. */
export async function updateDigest(db: D1Database, previous: StoredDigest, next: StoredDigest): Promise<boolean> {
  const { project_id, id, name, metric_id, destination_id, weekday, hour, next_at, try_at, last_error, updated_at } =
    next;
  const update = sql`
    UPDATE digests SET name = ${name}, metric_id = ${metric_id}, destination_id = ${destination_id},
      weekday = ${weekday}, hour = ${hour}, next_at = ${next_at}, try_at = ${try_at},
      last_error = ${last_error}, updated_at = ${updated_at}
    WHERE project_id = ${project_id} AND id = ${id} AND updated_at = ${previous.updated_at}
      AND next_at = ${previous.next_at} AND try_at = ${previous.try_at} AND ${haveTheirs(next)}`;
  return (await prepare(db, update).run()).meta.changes > 0;
}

/** Whether what a digest names is there: either may be deleted while it is made. */
function haveTheirs({ project_id, metric_id, destination_id }: StoredDigest) {
  return sql`
    EXISTS (SELECT 1 FROM metrics WHERE project_id = ${project_id} AND id = ${metric_id} AND deleted_at IS NULL)
    AND EXISTS (SELECT 1 FROM destinations WHERE project_id = ${project_id} AND id = ${destination_id})`;
}

/** Deletes a digest. @returns whether it was there. */
export async function deleteDigest(
  db: D1Database,
  { project_id, id }: Pick<StoredDigest, "project_id" | "id">,
): Promise<boolean> {
  const remove = sql`DELETE FROM digests WHERE project_id = ${project_id} AND id = ${id}`;
  return (await prepare(db, remove).run()).meta.changes > 0;
}

const SELECT = sql`
  SELECT d.project_id, d.id, d.name, d.metric_id, d.destination_id, d.weekday, d.hour, d.next_at, d.try_at,
    d.last_error, d.created_at, d.updated_at, m.slug AS metric
  FROM digests d JOIN metrics m ON m.project_id = d.project_id AND m.id = d.metric_id`;

/** A page of a project's digests, by id. */
export async function listDigests(
  db: D1Database,
  projectId: string,
  page: { readonly after: string | undefined; readonly limit: number },
): Promise<readonly DigestRow[]> {
  const { after = "", limit } = page;
  const query = sql`${SELECT} WHERE d.project_id = ${projectId} AND d.id > ${after} ORDER BY d.id LIMIT ${limit}`;
  return (await prepare(db, query).all<DigestRow>()).results;
}

/** One digest. */
export async function findDigest(db: D1Database, projectId: string, id: string): Promise<DigestRow | undefined> {
  const query = sql`${SELECT} WHERE d.project_id = ${projectId} AND d.id = ${id}`;
  return (await prepare(db, query).first<DigestRow>()) ?? undefined;
}

/** Digests of a metric, by id. */
export async function listDigestsOf(
  db: D1Database,
  { project_id, metric_id }: Pick<StoredDigest, "project_id" | "metric_id">,
  limit: number,
): Promise<readonly DigestRow[]> {
  const query = sql`
    ${SELECT} WHERE d.project_id = ${project_id} AND d.metric_id = ${metric_id} ORDER BY d.id LIMIT ${limit}`;
  return (await prepare(db, query).all<DigestRow>()).results;
}

/** Digests of all projects to be made now, those that have waited longest first. */
export async function listDueDigests(db: D1Database, now: number, limit: number): Promise<readonly DigestRow[]> {
  const query = sql`${SELECT} WHERE d.try_at <= ${now} ORDER BY d.try_at LIMIT ${limit}`;
  return (await prepare(db, query).all<DigestRow>()).results;
}

/** Keeps the notice of a digest that is still due as it was; one that is there already stays as it is. */
export async function insertDigestNotice(
  db: D1Database,
  digest: StoredDigest,
  notice: Pick<Notice, "id" | "at" | "body">,
): Promise<void> {
  const { project_id, id, metric_id, destination_id, next_at } = digest;
  const insert = sql`
    INSERT INTO notices (project_id, id, kind, customer_id, metric_id, at, body, destination_id)
    SELECT ${project_id}, ${notice.id}, 'digest', '', ${metric_id}, ${notice.at}, ${notice.body}, ${destination_id}
    WHERE EXISTS (SELECT 1 FROM digests WHERE project_id = ${project_id} AND id = ${id} AND next_at = ${next_at})
    ON CONFLICT DO NOTHING`;
  await prepare(db, insert).run();
}

/** Sets when a digest is due next, unless that has changed meanwhile, and why the one before was not made. */
export async function moveDigest(
  db: D1Database,
  { project_id, id, next_at }: StoredDigest,
  to: Pick<StoredDigest, "next_at" | "last_error">,
): Promise<void> {
  const move = sql`
    UPDATE digests SET next_at = ${to.next_at}, try_at = ${to.next_at}, last_error = ${to.last_error}
    WHERE project_id = ${project_id} AND id = ${id} AND next_at = ${next_at}`;
  await prepare(db, move).run();
}

/** Sets when a digest that could not be made is tried again, unless it has changed or was made meanwhile. */
export async function putOffDigest(
  db: D1Database,
  { project_id, id, next_at, updated_at }: StoredDigest,
  { try_at, last_error }: Pick<StoredDigest, "try_at" | "last_error">,
): Promise<void> {
  const putOff = sql`
    UPDATE digests SET try_at = ${try_at}, last_error = ${last_error}
    WHERE project_id = ${project_id} AND id = ${id} AND next_at = ${next_at} AND updated_at = ${updated_at}`;
  await prepare(db, putOff).run();
}
