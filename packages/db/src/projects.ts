import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { projects } from "./schema.ts";

export type ProjectRow = typeof projects.$inferSelect;

/** A project. Ids come from keys, never from a request. */
export async function readProject(db: D1Database, id: string): Promise<ProjectRow | undefined> {
  return drizzle(db)
    .select({
      id: projects.id,
      name: projects.name,
      time_zone: projects.time_zone,
      catalog_version: projects.catalog_version,
      created_at: projects.created_at,
    })
    .from(projects)
    .where(eq(projects.id, id))
    .get();
}
