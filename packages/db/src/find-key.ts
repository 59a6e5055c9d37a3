interface StoredKey {
  readonly project_id: string;
  readonly scopes: string;
  readonly hash: string;
  readonly revoked_at: number | null;
}

const FIND_KEY = "SELECT project_id, scopes, hash, revoked_at FROM api_keys WHERE id = ?";

/**
 * What authentication needs of a key. Ids are random and unique over all projects. On its own, without
 * a query builder, because the write path carries it.
 */
export async function findKey(db: D1Database, id: string): Promise<StoredKey | undefined> {
  return (await db.prepare(FIND_KEY).bind(id).first<StoredKey>()) ?? undefined;
}
