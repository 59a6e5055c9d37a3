import type { SigningSecret } from "@tidemark/contract/signing-secret";
import { toBase64 } from "@tidemark/http/base64";
import { seal, unseal } from "@tidemark/http/seal";
import type { DestinationAddress } from "@tidemark/db/destinations";
import { Problem } from "@tidemark/http/problem";

/** Of a secret, as Standard Webhooks recommends. */
const SECRET_BYTES = 32;

/** A new secret of a webhook, which signs until it is rotated. */
export function newSecret(): SigningSecret {
  return { secret: `whsec_${toBase64(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)))}`, expires_at: null };
}

/** Secrets as they are stored. */
export async function sealSecrets(
  secrets: readonly SigningSecret[],
  pepper: string,
  { project_id, id }: DestinationAddress,
): Promise<string> {
  return seal(JSON.stringify(secrets), pepper, [project_id, id, "secrets"]);
}

/** @throws Problem conflict when they were sealed under another pepper. */
export async function unsealSecrets(
  sealed: string,
  pepper: string,
  { project_id, id }: DestinationAddress,
): Promise<readonly SigningSecret[]> {
  const text = await unseal(sealed, pepper, [project_id, id, "secrets"]);
  if (text !== null) return JSON.parse(text) as SigningSecret[];
  throw new Problem(
    "conflict",
    "The destination was made under another KEY_PEPPER and cannot be opened; delete it and make it again.",
  );
}
