/** The product that a project's unknown customers are subscribed to. */
export interface DefaultProduct {
  readonly id: string;
  readonly slug: string;
  /** Without a metric there is nothing to decide. */
  readonly metric_id: string | null;
  /** A `ProductDefinition` as JSON. */
  readonly definition: string;
}

const FIND = "SELECT id, slug, metric_id, definition FROM products WHERE project_id = ? AND is_default = 1";

/** A project's default product, if it has one. Without a query builder, because the write path carries it. */
export async function readDefaultProduct(db: D1Database, projectId: string): Promise<DefaultProduct | undefined> {
  return (await db.prepare(FIND).bind(projectId).first<DefaultProduct>()) ?? undefined;
}
