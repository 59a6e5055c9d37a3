import { toBase64 } from "./base64.ts";

/**
 * Seals short texts under the deployment's secret, so that whoever reads the database alone learns nothing: AES-256
 * in GCM with a random nonce, under a key that HKDF derives from the secret for this purpose only.
 *
 * Written `v1.<base64 of nonce and ciphertext>`; a later version can be told from it.
 */
const VERSION = "v1.";
const NONCE_BYTES = 12;
const PURPOSE = new TextEncoder().encode("tidemark/seal/v1");

/**
 * Seals a text.
 *
 * @param context whose it is and what for: it opens nowhere else, and a row copied to another opens nothing.
 */
export async function seal(text: string, secret: string, context: readonly string[]): Promise<string> {
  const nonce = crypto.getRandomValues(new Uint8Array(NONCE_BYTES));
  const key = await sealingKey(secret);
  const sealed = await crypto.subtle.encrypt(gcm(nonce, context), key, new TextEncoder().encode(text));
  return VERSION + toBase64(new Uint8Array([...nonce, ...new Uint8Array(sealed)]));
}

/** Opens what was sealed. @returns `null` when it was sealed under another secret or for another context, or changed. */
export async function unseal(sealed: string, secret: string, context: readonly string[]): Promise<string | null> {
  if (!sealed.startsWith(VERSION)) return null;
  const key = await sealingKey(secret);
  try {
    const bytes = Uint8Array.from(atob(sealed.slice(VERSION.length)), (character) => character.charCodeAt(0));
    const opened = await crypto.subtle.decrypt(
      gcm(bytes.subarray(0, NONCE_BYTES), context),
      key,
      bytes.subarray(NONCE_BYTES),
    );
    return new TextDecoder().decode(opened);
  } catch {
    return null;
  }
}

function gcm(iv: Uint8Array, context: readonly string[]): SubtleCryptoEncryptAlgorithm {
  // As JSON, so that no two contexts read alike.
  return { name: "AES-GCM", iv, additionalData: new TextEncoder().encode(JSON.stringify(context)) };
}

let derived: { readonly secret: string; readonly key: Promise<CryptoKey> } | undefined;

async function sealingKey(secret: string): Promise<CryptoKey> {
  if (derived?.secret !== secret) derived = { secret, key: derive(secret) };
  return derived.key;
}

async function derive(secret: string): Promise<CryptoKey> {
  const material = await crypto.subtle.importKey("raw", new TextEncoder().encode(secret), "HKDF", false, ["deriveKey"]);
  const hkdf = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: PURPOSE };
  return crypto.subtle.deriveKey(hkdf, material, { name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]);
}
