import { and, desc, eq, isNull } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { type AgeCursor, olderThan } from "./age-cursor.ts";
import { apiKeys } from "./schema.ts";

const COLUMNS = {
  id: apiKeys.id,
  project_id: apiKeys.project_id,
  name: apiKeys.name,
  scopes: apiKeys.scopes,
  created_at: apiKeys.created_at,
  revoked_at: apiKeys.revoked_at,
};

/** A key as it can be shown: without its hash. */
export type KeyRow = Omit<typeof apiKeys.$inferSelect, "hash">;

/** Stores a key that was just made. */
export async function insertKey(db: D1Database, key: typeof apiKeys.$inferInsert): Promise<void> {
  await drizzle(db).insert(apiKeys).values(key);
}

/** A page of a project's keys, newest first. */
export async function listKeys(
  db: D1Database,
  projectId: string,
  page: { readonly before: AgeCursor | undefined; readonly limit: number },
): Promise<KeyRow[]> {
  const { before, limit } = page;
  return drizzle(db)
    .select(COLUMNS)
    .from(apiKeys)
    .where(and(eq(apiKeys.project_id, projectId), olderThan(apiKeys, before)))
    .orderBy(desc(apiKeys.created_at), desc(apiKeys.id))
    .limit(limit);
}

/** Revokes a key. @returns false when the project has no such key, or it was revoked before. */
export async function revokeKey(db: D1Database, projectId: string, id: string, now: number): Promise<boolean> {
  const revoked = await drizzle(db)
    .update(apiKeys)
    .set({ revoked_at: now })
    .where(and(eq(apiKeys.project_id, projectId), eq(apiKeys.id, id), isNull(apiKeys.revoked_at)))
    .returning({ id: apiKeys.id });
  return revoked.length > 0;
}
