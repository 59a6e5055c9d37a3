import { generateKey, hashKey, type Scope } from "@tidemark/http/keys";

/** A project with one key per scope, as a test needs it. */
export interface Tenant {
  readonly projectId: string;
  readonly keys: Readonly<Record<Scope, string>>;
}

interface TenantBindings {
  readonly DB: D1Database;
  readonly KEY_PEPPER: string;
}

/** Makes a project and its keys in D1. */
export async function createTenant(env: TenantBindings, projectId: string, timeZone = "UTC"): Promise<Tenant> {
  await env.DB.prepare("INSERT INTO projects (id, name, time_zone, catalog_version, created_at) VALUES (?, ?, ?, 1, 0)")
    .bind(projectId, projectId, timeZone)
    .run();
  const keys = {
    ingest: await createKey(env, projectId, "ingest"),
    read: await createKey(env, projectId, "read"),
    admin: await createKey(env, projectId, "admin"),
  };
  return { projectId, keys };
}

/** Makes one key of a project. */
export async function createKey(env: TenantBindings, projectId: string, scope: Scope): Promise<string> {
  const { id, key } = generateKey(scope);
  await env.DB.prepare(
    "INSERT INTO api_keys (project_id, id, name, scopes, hash, created_at) VALUES (?, ?, ?, ?, ?, 0)",
  )
    .bind(projectId, id, `${scope} key`, scope, await hashKey(key, env.KEY_PEPPER))
    .run();
  return key;
}
