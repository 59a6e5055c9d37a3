/** Says that what reports of some projects are made of has changed. Belongs into the transaction that changes it. */
export function markUsage(db: D1Database, projectIds: readonly string[], now: number): D1PreparedStatement {
  return db
    .prepare(
      `INSERT INTO usage_marks (project_id, version) SELECT value, ?1 FROM json_each(?2) WHERE true
       ON CONFLICT DO UPDATE SET version = MAX(usage_marks.version + 1, excluded.version)`,
    )
    .bind(now, JSON.stringify(projectIds));
}
