import type { Publication, PublicationOptions, PublicationQuestion } from "@tidemark/contract/publication-schema";
import { parseTimestamp } from "@tidemark/core/timestamp";
import type { PublicationRow } from "@tidemark/db/publications";
import { sha256 } from "@tidemark/http/digest";
import { randomText } from "@tidemark/http/keys";
import { Problem } from "@tidemark/http/problem";
import { toInstantText, toOptionalInstant } from "../../plumbing/instant.ts";
import { invalid } from "../../plumbing/issues.ts";

/** What a publication shows and how, frozen when it was made. */
export type Frozen = PublicationQuestion & { readonly options: PublicationOptions };

/** 190 random bits: a fast hash is enough to keep. */
const KEY_LENGTH = 32;

/** A stored publication as it is answered, without its key. */
export function toPublication(row: PublicationRow): Publication {
  return {
    id: row.id,
    ...readFrozen(row),
    title: row.title,
    created_at: toInstantText(row.created_at),
    rotated_at: toOptionalInstant(row.rotated_at),
    expires_at: toOptionalInstant(row.expires_at),
    revoked_at: toOptionalInstant(row.revoked_at),
  };
}

/** What was frozen; it was checked when it was stored. The first publications had no options. */
export function readFrozen(row: Pick<PublicationRow, "query">): Frozen {
  const stored = JSON.parse(row.query) as PublicationQuestion & Partial<Frozen>;
  return { ...stored, options: stored.options ?? { alias_customers: false, theme: "auto" } };
}

/**
 * When a link is to stop, in milliseconds.
 *
 * @throws Problem invalid_request where that has passed: a link that opens nothing is not made.
 */
export function readExpiry(text: string | null, now: number): number | null {
  const at = text === null ? null : parseTimestamp(text);
  if (at === null || at > now) return at;
  throw invalid([{ pointer: "/expires_at", code: "invalid_value", detail: "Must be in the future, or null." }]);
}

/** A new key of a publication, and the hash that is kept of it. */
export async function newPublicationKey(): Promise<{ readonly key: string; readonly key_hash: string }> {
  const key = randomText(KEY_LENGTH);
  return { key, key_hash: await sha256(key) };
}

/** The answer to a change of what was taken back. */
export function revokedPublication(): Problem {
  return new Problem("conflict", "The publication was revoked; publish again.");
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
