import { and, asc, eq, gt } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { destinations } from "./schema.ts";

/** A destination as it is stored: its address and secrets are sealed. */
export type DestinationRow = Omit<typeof destinations.$inferSelect, "kind" | "disabled_reason"> & {
  readonly kind: "webhook" | "slack";
  readonly disabled_reason: DisabledReason | null;
};

/** `gone`: it answered 410. `failing`: nothing but failures for days. `by_person`: somebody wanted it. */
export type DisabledReason = "gone" | "failing" | "by_person";

export interface DestinationAddress {
  readonly project_id: string;
  readonly id: string;
}

const COLUMNS = {
  project_id: destinations.project_id,
  id: destinations.id,
  kind: destinations.kind,
  name: destinations.name,
  url: destinations.url,
  shown_url: destinations.shown_url,
  secrets: destinations.secrets,
  wants: destinations.wants,
  next_at: destinations.next_at,
  failing_since: destinations.failing_since,
  disabled_at: destinations.disabled_at,
  disabled_reason: destinations.disabled_reason,
  enabled_at: destinations.enabled_at,
  created_at: destinations.created_at,
  updated_at: destinations.updated_at,
};

/** Stores a destination. @returns whether there was room. */
export async function insertDestination(db: D1Database, row: DestinationRow, max: number): Promise<boolean> {
  const { meta } = await db
    .prepare(
      `INSERT INTO destinations
         (project_id, id, kind, name, url, shown_url, secrets, wants, next_at, failing_since, disabled_at,
          disabled_reason, enabled_at, created_at, updated_at)
       SELECT ?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, 0, NULL, NULL, NULL, ?9, ?9, ?9
       WHERE (SELECT COUNT(*) FROM destinations WHERE project_id = ?1) < ?10`,
    )
    .bind(
      row.project_id,
      row.id,
      row.kind,
      row.name,
      row.url,
      row.shown_url,
      row.secrets,
      row.wants,
      row.created_at,
      max,
    )
    .run();
  return meta.changes > 0;
}

/** A page of a project's destinations, by id. */
export async function listDestinations(
  db: D1Database,
  projectId: string,
  page: { readonly after: string | undefined; readonly limit: number },
): Promise<readonly DestinationRow[]> {
  const { after = "", limit } = page;
  const rows = await drizzle(db)
    .select(COLUMNS)
    .from(destinations)
    .where(and(eq(destinations.project_id, projectId), gt(destinations.id, after)))
    .orderBy(asc(destinations.id))
    .limit(limit);
  return rows as DestinationRow[];
}

/** One destination. */
export async function findDestination(
  db: D1Database,
  { project_id, id }: DestinationAddress,
): Promise<DestinationRow | undefined> {
  const row = await drizzle(db).select(COLUMNS).from(destinations).where(matches({ project_id, id })).get();
  return row as DestinationRow | undefined;
}

/** What people change of a destination. */
export type DestinationUpdate = Partial<
  Pick<
    DestinationRow,
    | "name"
    | "url"
    | "shown_url"
    | "wants"
    | "next_at"
    | "failing_since"
    | "disabled_at"
    | "disabled_reason"
    | "enabled_at"
  >
> &
  Pick<DestinationRow, "updated_at">;

/** Changes a destination. @returns what it is now, if it is there. */
export async function updateDestination(
  db: D1Database,
  address: DestinationAddress,
  change: DestinationUpdate,
): Promise<DestinationRow | undefined> {
  const [row] = await drizzle(db).update(destinations).set(change).where(matches(address)).returning(COLUMNS);
  return row as DestinationRow | undefined;
}

/** Puts sealed secrets in the place of those they were made from. @returns false when these have changed meanwhile. */
export async function replaceSecrets(
  db: D1Database,
  { project_id, id, secrets: before }: Pick<DestinationRow, "project_id" | "id" | "secrets">,
  { secrets, updated_at }: { readonly secrets: string; readonly updated_at: number },
): Promise<boolean> {
  const changed = await drizzle(db)
    .update(destinations)
    .set({ secrets, updated_at })
    .where(and(matches({ project_id, id }), eq(destinations.secrets, before ?? "")))
    .returning({ id: destinations.id });
  return changed.length > 0;
}

const IS_USED = "EXISTS (SELECT 1 FROM digests WHERE project_id = ?1 AND destination_id = ?2)";

/** Deletes a destination. @returns `used` when digests go there: then nothing happens. */
export async function deleteDestination(
  db: D1Database,
  { project_id, id }: DestinationAddress,
): Promise<"deleted" | "used" | "missing"> {
  const [used, deleted] = await db.batch<{ readonly used: number }>([
    db.prepare(`SELECT ${IS_USED} AS used`).bind(project_id, id),
    db.prepare(`DELETE FROM destinations WHERE project_id = ?1 AND id = ?2 AND NOT ${IS_USED}`).bind(project_id, id),
  ]);
  if (used?.results[0]?.used === 1) return "used";
  return deleted !== undefined && deleted.meta.changes > 0 ? "deleted" : "missing";
}

/** Takes the next turn of a destination, so that of two that want it only one posts. @returns whether it was free. */
export async function claimTurn(
  db: D1Database,
  { project_id, id }: DestinationAddress,
  { now, until }: { readonly now: number; readonly until: number },
): Promise<boolean> {
  const { meta } = await db
    .prepare("UPDATE destinations SET next_at = ?4 WHERE project_id = ?1 AND id = ?2 AND next_at <= ?3")
    .bind(project_id, id, now, until)
    .run();
  return meta.changes > 0;
}

/** Says when the next turn is, unless somebody else has done so since the destination was read, or it has moved. */
export function endTurn(
  db: D1Database,
  { project_id, id, url, next_at }: AskedDestination,
  nextAt: number,
): D1PreparedStatement {
  return db
    .prepare(
      "UPDATE destinations SET next_at = ?5 WHERE project_id = ?1 AND id = ?2 AND url = ?3 AND next_at = ?4 AND ?4 <> ?5",
    )
    .bind(project_id, id, url, next_at, nextAt);
}

/** Lets a webhook be asked now, however long it was to be left alone: a person wants to know. */
export async function askNow(db: D1Database, { project_id, id }: DestinationAddress): Promise<void> {
  await db
    .prepare(
      "UPDATE destinations SET next_at = 0 WHERE project_id = ?1 AND id = ?2 AND kind = 'webhook' AND next_at > 0",
    )
    .bind(project_id, id)
    .run();
}

/** A destination as it was when it was asked: what came of that says nothing of another address. */
export type AskedDestination = Pick<DestinationRow, "project_id" | "id" | "url" | "next_at">;

/**
 * Notes how an attempt went: since when all have failed, `null` when this one did not. Writes only what changes, and
 * nothing when the destination has moved since.
 */
export function noteHealth(
  db: D1Database,
  { project_id, id, url }: AskedDestination,
  failedAt: number | null,
): D1PreparedStatement {
  return failedAt === null
    ? db
        .prepare(
          `UPDATE destinations SET failing_since = NULL
           WHERE project_id = ?1 AND id = ?2 AND url = ?3 AND failing_since IS NOT NULL`,
        )
        .bind(project_id, id, url)
    : db
        .prepare(
          `UPDATE destinations SET failing_since = ?4
           WHERE project_id = ?1 AND id = ?2 AND url = ?3 AND failing_since IS NULL`,
        )
        .bind(project_id, id, url, failedAt);
}

function matches({ project_id, id }: DestinationAddress) {
  return and(eq(destinations.project_id, project_id), eq(destinations.id, id));
}
