import { checkAddress, maskAddress } from "@tidemark/contract/destination-address";
import type { Destination } from "@tidemark/contract/destination-schema";
import type { NoticeKind } from "@tidemark/contract";
import { type DestinationAddress, type DestinationRow, findDestination } from "@tidemark/db/destinations";
import { Problem } from "@tidemark/http/problem";
import { seal } from "@tidemark/http/seal";
import type { QueryEnv } from "../../env.ts";
import { toInstantText, toOptionalInstant } from "../../plumbing/instant.ts";
import { invalid } from "../../plumbing/issues.ts";

/** A stored destination as it is answered: without its address and its secrets. */
export function toDestination(row: DestinationRow): Destination {
  const { id, kind, name, shown_url, wants, disabled_at, disabled_reason, failing_since, created_at, updated_at } = row;
  return {
    id,
    kind,
    name,
    shown_url,
    wants: wants === null ? null : (JSON.parse(wants) as NoticeKind[]),
    enabled: disabled_at === null,
    disabled_at: toOptionalInstant(disabled_at),
    disabled_reason,
    failing_since: toOptionalInstant(failing_since),
    created_at: toInstantText(created_at),
    updated_at: toInstantText(updated_at),
  };
}

/** @throws Problem not_found, the same whether it is nobody's or another project's. */
export async function requireDestination(db: D1Database, address: DestinationAddress): Promise<DestinationRow> {
  const row = await findDestination(db, address);
  if (row === undefined) throw noSuchDestination();
  return row;
}

export function noSuchDestination(): Problem {
  return new Problem(
    "not_found",
    "The project has no destination with this id; GET /v1/destinations lists those it has.",
  );
}

/**
 * An address as it is stored: sealed, and as people may see it.
 *
 * @throws Problem invalid_request when notices must not go there.
 */
export async function sealAddress(
  { KEY_PEPPER, WEBHOOK_ORIGINS }: QueryEnv,
  { project_id, id, kind }: Pick<DestinationRow, "project_id" | "id" | "kind">,
  { text, requestUrl }: { readonly text: string; readonly requestUrl: string },
): Promise<Pick<DestinationRow, "url" | "shown_url">> {
  const rules = { allowedOrigins: WEBHOOK_ORIGINS, ownHosts: [new URL(requestUrl).hostname] };
  const checked = checkAddress(kind, { text, url: URL.parse(text) }, rules);
  if ("fault" in checked) throw invalid([{ pointer: "/url", code: "invalid_value", detail: checked.fault }]);
  const { url } = checked;
  return {
    url: await seal(url, KEY_PEPPER, [project_id, id, "url"]),
    shown_url: maskAddress(new URL(url)),
  };
}

/** @throws Problem not_found, or conflict when nothing is sent there. */
export async function requireEnabled(db: D1Database, address: DestinationAddress): Promise<DestinationRow> {
  const row = await requireDestination(db, address);
  if (row.disabled_at === null) return row;
  throw new Problem(
    "conflict",
    `The destination is disabled, so nothing is sent there; PATCH /v1/destinations/${row.id} with {"enabled": true} first.`,
  );
}
