import { KEY_CACHE_MS, KEY_STALE_MS } from "@tidemark/contract";
import { findKey } from "@tidemark/db/find-key";
import { equalDigests, hashKey, readKeyId, type Scope } from "./keys.ts";
import { Problem } from "./problem.ts";

/** Who is asking. */
export interface Principal {
  readonly key_id: string;
  readonly project_id: string;
  readonly scopes: ReadonlySet<Scope>;
  /** Of the project's metrics, as it was when the key was looked up. */
  readonly catalog_version: number;
}

export interface AuthBindings {
  readonly DB: D1Database;
  readonly KEY_PEPPER: string;
}

interface CachedKey {
  /** `null`: the key was looked up and refused. */
  readonly principal: Principal | null;
  readonly checkedAt: number;
}

/** Keys this isolate has looked up, oldest first. A refusal is forgotten sooner than a key. */
const cache = new Map<string, CachedKey>();
const CACHED_KEYS_MAX = 10_000;
const REFUSAL_CACHE_MS = 2_000;

/**
 * The project and scopes of the request's key. A key works for at most 10 s after it was revoked; while
 * the database does not answer, keys seen in the last 10 minutes go on taking events, because losing
 * usage is worse, and everything else stops.
 *
 * @throws Problem missing_key, invalid_key, missing_scope or unavailable.
 */
export async function authenticate(request: Request, scope: Scope, env: AuthBindings): Promise<Principal> {
  const header = request.headers.get("authorization");
  if (header === null) throw new Problem("missing_key", "The request has no Authorization header.", CHALLENGE);
  const key = /^Bearer +(\S+)$/i.exec(header)?.[1];
  const id = key === undefined ? null : readKeyId(key);
  if (key === undefined || id === null)
    throw new Problem("invalid_key", "The Authorization header does not hold a Tidemark key.", CHALLENGE);

  const known = cache.get(key);
  const age = known === undefined ? Infinity : Date.now() - known.checkedAt;
  const fresh = known !== undefined && age < (known.principal === null ? REFUSAL_CACHE_MS : KEY_CACHE_MS);
  const principal = fresh
    ? known.principal
    : await lookUp(key, id, env, scope === "ingest" && age < KEY_STALE_MS ? known : undefined);
  if (principal === null) throw new Problem("invalid_key", "The key is unknown or has been revoked.", CHALLENGE);
  if (!principal.scopes.has(scope)) throw new Problem("missing_scope", `This needs a key with the scope "${scope}".`);
  return principal;
}

const CHALLENGE = { headers: { "www-authenticate": 'Bearer realm="tidemark"' } };

async function lookUp(
  key: string,
  id: string,
  env: AuthBindings,
  stale: CachedKey | undefined,
): Promise<Principal | null> {
  const now = Date.now();
  try {
    const [row, hash] = await Promise.all([findKey(env.DB, id), hashKey(key, env.KEY_PEPPER)]);
    const valid = row !== undefined && row.revoked_at === null && equalDigests(row.hash, hash);
    const principal = valid ? toPrincipal(id, row) : null;
    remember(key, { principal, checkedAt: now });
    return principal;
  } catch (error) {
    if (stale !== undefined) return stale.principal;
    console.error(JSON.stringify({ at: "authenticate", error: String(error) }));
    throw new Problem("unavailable", "The key could not be checked.", { headers: { "retry-after": "2" } });
  }
}

function remember(key: string, entry: CachedKey): void {
  cache.delete(key);
  cache.set(key, entry);
  if (cache.size > CACHED_KEYS_MAX) {
    const [oldest] = cache.keys();
    if (oldest !== undefined) cache.delete(oldest);
  }
}

function toPrincipal(
  key_id: string,
  { project_id, scopes, catalog_version }: Pick<Principal, "project_id" | "catalog_version"> & { scopes: string },
): Principal {
  return { key_id, project_id, scopes: toScopes(scopes), catalog_version };
}

/** `admin` may do everything. */
function toScopes(stored: string): ReadonlySet<Scope> {
  const scopes = new Set(stored.split(" ") as Scope[]);
  return scopes.has("admin") ? new Set<Scope>(["admin", "read", "ingest"]) : scopes;
}
