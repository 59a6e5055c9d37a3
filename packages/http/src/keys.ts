import { toHex } from "./digest.ts";

/**
 * API keys: `tm_<kind>_<id>_<secret><checksum>`, base62. The id finds the row, the secret (32 characters,
 * 190 random bits) is never stored, and the checksum (CRC-32 of all before it) lets garbage be refused
 * without a look-up and leaks be recognised by scanners.
 */
const ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const KEY = /^tm_(?:ingest|read|admin)_([0-9A-Za-z]{12})_[0-9A-Za-z]{32}([0-9A-Za-z]{6})$/;

export type Scope = "ingest" | "read" | "admin";

const CRC_TABLE = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});

function checksum(text: string): string {
  let crc = -1;
  for (let i = 0; i < text.length; i++) crc = (crc >>> 8) ^ (CRC_TABLE[(crc ^ text.charCodeAt(i)) & 0xff] ?? 0);
  let value = (crc ^ -1) >>> 0;
  let out = "";
  for (let i = 0; i < 6; i++) {
    out = ALPHABET.charAt(value % 62) + out;
    value = Math.floor(value / 62);
  }
  return out;
}

/** `length` random characters of base62, without bias. */
export function randomText(length: number): string {
  let out = "";
  while (out.length < length) {
    // 248 is the largest multiple of 62 in a byte; what lies above would favour the first letters.
    for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
      if (byte < 248 && out.length < length) out += ALPHABET.charAt(byte % 62);
    }
  }
  return out;
}

/** Makes a key; `kind` is only for the reader's eye, the scopes are those of the stored row. */
export function generateKey(kind: Scope): { readonly id: string; readonly key: string } {
  const id = randomText(12);
  const body = `tm_${kind}_${id}_${randomText(32)}`;
  return { id, key: body + checksum(body) };
}

/** The id of a key that has the right shape and checksum, or `null`. */
export function readKeyId(key: string): string | null {
  const match = KEY.exec(key);
  if (match === null || checksum(key.slice(0, -6)) !== match[2]) return null;
  return match[1] ?? null;
}

let hmacKey: { readonly pepper: string; readonly key: Promise<CryptoKey> } | undefined;

/** What is stored of a key: HMAC-SHA-256 under the deployment's pepper, hexadecimal. */
export async function hashKey(key: string, pepper: string): Promise<string> {
  if (hmacKey?.pepper !== pepper) {
    const imported = crypto.subtle.importKey(
      "raw",
      new TextEncoder().encode(pepper),
      { name: "HMAC", hash: "SHA-256" },
      false,
      ["sign"],
    );
    hmacKey = { pepper, key: imported };
  }
  return toHex(await crypto.subtle.sign("HMAC", await hmacKey.key, new TextEncoder().encode(key)));
}

/** Compares two hexadecimal digests in a time that tells nothing about where they differ. */
export function equalDigests(a: string, b: string): boolean {
  const encoder = new TextEncoder();
  const left = encoder.encode(a);
  const right = encoder.encode(b);
  return left.byteLength === right.byteLength && crypto.subtle.timingSafeEqual(left, right);
}
