import type { Key } from "@tidemark/contract/key-schema";
import type { KeyRow } from "@tidemark/db/keys";
import { toInstantText, toOptionalInstant } from "../../plumbing/instant.ts";

/** A stored key as it is answered, without its secret. */
export function toKey(row: Omit<KeyRow, "project_id">): Key {
  return {
    id: row.id,
    name: row.name,
    scopes: row.scopes.split(" ") as Key["scopes"],
    created_at: toInstantText(row.created_at),
    revoked_at: toOptionalInstant(row.revoked_at),
  };
}
