import { createHmac } from "node:crypto";
import { generateKey, type Scope } from "../packages/http/src/keys.ts";

/** A new key and what is stored of it. */
export interface MadeKey {
  readonly key: string;
  readonly id: string;
  readonly hash: string;
}

/** Makes a key outside a Worker: hashed as `hashKey` of packages/http hashes it. */
export function makeKey(scope: Scope, pepper: string): MadeKey {
  const { id, key } = generateKey(scope);
  return { id, key, hash: createHmac("sha256", pepper).update(key).digest("hex") };
}
