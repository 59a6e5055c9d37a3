import { app } from "./app.ts";

export { app } from "./app.ts";
export type { QueryEnv } from "./env.ts";

export default { fetch: app.fetch };
