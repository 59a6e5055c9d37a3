import type { Publication } from "@tidemark/contract/publication-schema";
import type { TopCustomersParams } from "@tidemark/contract/report-schema";
import type { PublicationRow } from "@tidemark/db/publications";
import { sha256 } from "@tidemark/http/digest";
import { randomText } from "@tidemark/http/keys";
import { Problem } from "@tidemark/http/problem";
import { toInstantText, toOptionalInstant } from "../../plumbing/instant.ts";

/** What a publication shows, frozen when it was made. */
export interface FrozenQuery {
  readonly report: "top-customers";
  readonly params: TopCustomersParams;
}

/** 190 random bits: a fast hash is enough to keep. */
const KEY_LENGTH = 32;

/** A stored publication as it is answered, without its key. */
export function toPublication(row: PublicationRow): Publication {
  return {
    id: row.id,
    ...readQuery(row),
    title: row.title,
    created_at: toInstantText(row.created_at),
    rotated_at: toOptionalInstant(row.rotated_at),
    expires_at: toOptionalInstant(row.expires_at),
    revoked_at: toOptionalInstant(row.revoked_at),
  };
}

/** What was frozen; it was checked when it was stored. */
export function readQuery(row: Pick<PublicationRow, "query">): FrozenQuery {
  return JSON.parse(row.query) as FrozenQuery;
}

/** A new key of a publication, and the hash that is kept of it. */
export async function newPublicationKey(): Promise<{ readonly key: string; readonly key_hash: string }> {
  const key = randomText(KEY_LENGTH);
  return { key, key_hash: await sha256(key) };
}

/** The link that people open. */
export function publicUrl(requestUrl: string, id: string, key: string): string {
  return new URL(`/q/${id}?key=${key}`, requestUrl).href;
}

/** The answer to an id that is nobody's, or another project's. */
export function noSuchPublication(): Problem {
  return new Problem(
    "not_found",
    "The project has no publication with this id; GET /v1/publications lists those it has.",
  );
}
