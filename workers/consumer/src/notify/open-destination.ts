import { checkAddress } from "@tidemark/contract/destination-address";
import type { SigningSecret } from "@tidemark/contract/signing-secret";
import type { DestinationRow } from "@tidemark/db/destinations";
import { unseal } from "@tidemark/http/seal";
import type { ConsumerEnv } from "../env.ts";

/** Where a destination is, or why nothing can be sent there. */
export type OpenedAddress = { readonly url: string } | { readonly error: "refused_address" | "unreadable_address" };

/** Opens a destination's address, and checks it again: rules, or who may use the database, may have changed. */
export async function openAddress(
  { KEY_PEPPER, WEBHOOK_ORIGINS }: ConsumerEnv,
  { project_id, id, kind, url: sealed }: DestinationRow,
): Promise<OpenedAddress> {
  const text = await unseal(sealed, KEY_PEPPER, [project_id, id, "url"]);
  if (text === null) return { error: "unreadable_address" };
  const rules = { allowedOrigins: WEBHOOK_ORIGINS, ownHosts: [] };
  const checked = checkAddress(kind, { text, url: URL.parse(text) }, rules);
  return "url" in checked ? checked : { error: "refused_address" };
}

/** The secrets that sign now, newest first; none when they were sealed under another pepper. */
export async function openSecrets(
  { KEY_PEPPER }: ConsumerEnv,
  { project_id, id, secrets: sealed }: DestinationRow,
  now: number,
): Promise<readonly string[]> {
  const text = sealed === null ? null : await unseal(sealed, KEY_PEPPER, [project_id, id, "secrets"]);
  if (text === null) return [];
  const secrets = JSON.parse(text) as readonly SigningSecret[];
  return secrets.filter(({ expires_at }) => expires_at === null || expires_at > now).map(({ secret }) => secret);
}
