import { and, desc, eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { type AgeCursor, olderThan } from "./age-cursor.ts";
import { quarantine } from "./schema.ts";

export type QuarantineRow = typeof quarantine.$inferSelect;

const COLUMNS = {
  project_id: quarantine.project_id,
  id: quarantine.id,
  reason: quarantine.reason,
  detail: quarantine.detail,
  customer_id: quarantine.customer_id,
  body: quarantine.body,
  created_at: quarantine.created_at,
  replayed_at: quarantine.replayed_at,
};

/** A page of what a project has in quarantine, newest first. */
export async function listQuarantine(
  db: D1Database,
  projectId: string,
  page: { readonly before: AgeCursor | undefined; readonly limit: number },
): Promise<QuarantineRow[]> {
  const { before, limit } = page;
  return drizzle(db)
    .select(COLUMNS)
    .from(quarantine)
    .where(and(eq(quarantine.project_id, projectId), olderThan(quarantine, before)))
    .orderBy(desc(quarantine.created_at), desc(quarantine.id))
    .limit(limit);
}

/** One entry. */
export async function findQuarantined(
  db: D1Database,
  projectId: string,
  id: string,
): Promise<QuarantineRow | undefined> {
  return drizzle(db)
    .select(COLUMNS)
    .from(quarantine)
    .where(and(eq(quarantine.project_id, projectId), eq(quarantine.id, id)))
    .get();
}

/** Notes that an entry was sent again. */
export async function markReplayed(
  db: D1Database,
  address: { readonly project_id: string; readonly id: string },
  now: number,
): Promise<void> {
  await drizzle(db)
    .update(quarantine)
    .set({ replayed_at: now })
    .where(and(eq(quarantine.project_id, address.project_id), eq(quarantine.id, address.id)));
}
