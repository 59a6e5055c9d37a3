import type { DigestAnswer } from "@tidemark/contract/digest-schema";
import { findDestination } from "@tidemark/db/destinations";
import { type DigestRow, findDigest } from "@tidemark/db/digests";
import { Problem } from "@tidemark/http/problem";
import { toInstantText } from "../../plumbing/instant.ts";
import { invalid } from "../../plumbing/issues.ts";

/** A stored digest as it is answered. */
export function toDigest(row: DigestRow): DigestAnswer {
  return {
    id: row.id,
    name: row.name,
    metric: row.metric,
    destination_id: row.destination_id,
    weekday: row.weekday,
    hour: row.hour,
    next_at: toInstantText(row.next_at),
    last_error: row.last_error,
    created_at: toInstantText(row.created_at),
    updated_at: toInstantText(row.updated_at),
  };
}

/** @throws Problem not_found, the same whether it is nobody's or another project's. */
export async function requireDigest(db: D1Database, projectId: string, id: string): Promise<DigestRow> {
  const row = await findDigest(db, projectId, id);
  if (row === undefined) throw noSuchDigest();
  return row;
}

/** The answer to an id that is nobody's, or another project's. */
export function noSuchDigest(): Problem {
  return new Problem("not_found", "The project has no digest with this id; GET /v1/digests lists those it has.");
}

/** @throws Problem invalid_request for a destination that the project does not have. */
export async function requireNamedDestination(db: D1Database, projectId: string, id: string): Promise<void> {
  if ((await findDestination(db, { project_id: projectId, id })) !== undefined) return;
  const detail = "The project has no destination with this id; GET /v1/destinations lists those it has.";
  throw invalid([{ pointer: "/destination_id", code: "unknown_destination", detail }]);
}
