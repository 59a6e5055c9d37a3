import { fetch } from "./app.ts";

export { fetch, isIngest } from "./app.ts";
export type { IngestEnv } from "./env.ts";

export default { fetch };
