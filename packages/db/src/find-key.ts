interface StoredKey {
  readonly project_id: string;
  readonly scopes: string;
  readonly hash: string;
  readonly revoked_at: number | null;
  /** Of the project's metrics: meters are told when theirs are older. */
  readonly catalog_version: number;
}

const FIND_KEY = `
  SELECT k.project_id, k.scopes, k.hash, k.revoked_at, p.catalog_version
  FROM api_keys k JOIN projects p ON p.id = k.project_id
  WHERE k.id = ?`;

/**
 * What authentication needs of a key. Ids are random and unique over all projects. On its own, without
 * a query builder, because the write path carries it.
 */
export async function findKey(db: D1Database, id: string): Promise<StoredKey | undefined> {
  return (await db.prepare(FIND_KEY).bind(id).first<StoredKey>()) ?? undefined;
}
