import type { MeterRpc } from "@tidemark/contract";
import type { D1Migration } from "cloudflare:test";

// The bindings of the root wrangler.toml, as a test in workerd finds them in `env` of "cloudflare:workers".
declare global {
  namespace Cloudflare {
    interface Env {
      readonly DB: D1Database;
      readonly ARCHIVE: R2Bucket;
      readonly METERS: DurableObjectNamespace<MeterRpc & Rpc.DurableObjectBranded>;
      readonly EVENTS: Queue<string>;
      readonly ROLLUPS: Queue<string>;
      readonly JOBS: Queue<string>;
      readonly NOTIFICATIONS: Queue<string>;
      readonly WEBHOOK_ORIGINS: string;
      readonly FAILED_OPENINGS: RateLimit;
      readonly FLUSH_SECONDS_MIN: string;
      readonly KEY_PEPPER: string;
      /** What `workerd-setup.ts` applies; only tests have it. */
      readonly TEST_MIGRATIONS: D1Migration[];
    }
  }
}
