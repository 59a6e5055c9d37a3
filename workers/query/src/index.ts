import { app } from "./app.ts";
import { runDigests } from "./run-digests.ts";
import type { QueryEnv } from "./env.ts";

export { app } from "./app.ts";
export type { QueryEnv } from "./env.ts";

/** Every five minutes: makes the digests that are due. */
export async function scheduled(_controller: ScheduledController, env: QueryEnv): Promise<void> {
  await runDigests(env, Date.now());
}

export default { fetch: app.fetch, scheduled };
