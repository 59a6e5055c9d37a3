/** A project's time zone. Without a query builder, because the write path carries it. */
export async function readProjectZone(db: D1Database, projectId: string): Promise<string> {
  const zone = await db
    .prepare("SELECT time_zone FROM projects WHERE id = ?")
    .bind(projectId)
    .first<string>("time_zone");
  return zone ?? "UTC";
}
