import { and, desc, eq, isNull } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { type AgeCursor, olderThan } from "./age-cursor.ts";
import { publications } from "./schema.ts";

const COLUMNS = {
  id: publications.id,
  project_id: publications.project_id,
  title: publications.title,
  query: publications.query,
  created_at: publications.created_at,
  rotated_at: publications.rotated_at,
  expires_at: publications.expires_at,
  revoked_at: publications.revoked_at,
};

/** A publication as it can be shown: without the hash of its key. */
export type PublicationRow = Omit<typeof publications.$inferSelect, "key_hash">;

/** Stores a publication that was just made. */
export async function insertPublication(db: D1Database, row: typeof publications.$inferInsert): Promise<void> {
  await drizzle(db).insert(publications).values(row);
}

/** A page of a project's publications, newest first. */
export async function listPublications(
  db: D1Database,
  projectId: string,
  page: { readonly before: AgeCursor | undefined; readonly limit: number },
): Promise<PublicationRow[]> {
  const { before, limit } = page;
  return drizzle(db)
    .select(COLUMNS)
    .from(publications)
    .where(and(eq(publications.project_id, projectId), olderThan(publications, before)))
    .orderBy(desc(publications.created_at), desc(publications.id))
    .limit(limit);
}

/** One publication of a project. */
export async function findPublication(
  db: D1Database,
  projectId: string,
  id: string,
): Promise<PublicationRow | undefined> {
  return drizzle(db)
    .select(COLUMNS)
    .from(publications)
    .where(and(eq(publications.project_id, projectId), eq(publications.id, id)))
    .get();
}

/**
 * A publication by its id alone: the reader has no project, only the address. Ids are random and unique
 * over all projects; whoever shows it checks the key first.
 */
export async function findPublished(db: D1Database, id: string): Promise<typeof publications.$inferSelect | undefined> {
  return drizzle(db)
    .select({ ...COLUMNS, key_hash: publications.key_hash })
    .from(publications)
    .where(eq(publications.id, id))
    .get();
}

/** Gives a publication a title and an end. @returns false when it was revoked or is missing. */
export async function updatePublication(
  db: D1Database,
  address: { readonly project_id: string; readonly id: string },
  change: { readonly title: string; readonly expires_at: number | null },
): Promise<boolean> {
  return changeLive(db, address, change);
}

/** Gives a publication another key; the old one opens nothing from here on. @returns false when it was revoked or is missing. */
export async function rotatePublication(
  db: D1Database,
  address: { readonly project_id: string; readonly id: string },
  change: { readonly key_hash: string; readonly rotated_at: number },
): Promise<boolean> {
  return changeLive(db, address, change);
}

/** Revokes a publication. @returns false when it was revoked before or is missing. */
export async function revokePublication(
  db: D1Database,
  address: { readonly project_id: string; readonly id: string },
  now: number,
): Promise<boolean> {
  return changeLive(db, address, { revoked_at: now });
}

async function changeLive(
  db: D1Database,
  address: { readonly project_id: string; readonly id: string },
  change: Partial<typeof publications.$inferInsert>,
): Promise<boolean> {
  const changed = await drizzle(db)
    .update(publications)
    .set(change)
    .where(
      and(
        eq(publications.project_id, address.project_id),
        eq(publications.id, address.id),
        isNull(publications.revoked_at),
      ),
    )
    .returning({ id: publications.id });
  return changed.length > 0;
}
