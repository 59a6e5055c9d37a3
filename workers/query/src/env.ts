import type { MeterRpc } from "@tidemark/contract";
import type { AppEnv } from "@tidemark/http/app";
import type { Principal } from "@tidemark/http/authenticate";
import type { OpenAPIHono } from "@hono/zod-openapi";

/** What the query Worker is given. */
export interface QueryEnv {
  readonly DB: D1Database;
  /** The meters, for live values of one customer. */
  readonly METERS: DurableObjectNamespace<MeterRpc & Rpc.DurableObjectBranded>;
  /** Takes back events from quarantine. */
  readonly EVENTS: Queue<string>;
  /** Takes back rollups; a deployment without it keeps those in quarantine. */
  readonly ROLLUPS?: Queue<string>;
  /** Begins jobs. */
  readonly JOBS: Queue<string>;
  /** Hands notices to their destinations. */
  readonly NOTIFICATIONS: Queue<string>;
  /** Origins that webhooks may go to besides public https ones, separated by spaces. */
  readonly WEBHOOK_ORIGINS: string;
  /** Counts links that open nothing, by whose they are. */
  readonly FAILED_OPENINGS: RateLimit;
  /** The secret under which keys are hashed, and destinations sealed. */
  readonly KEY_PEPPER: string;
}

/** The context of every route. */
export type QueryAppEnv = AppEnv<QueryEnv>;

export type QueryApp = OpenAPIHono<QueryAppEnv>;

declare module "hono" {
  interface ContextVariableMap {
    /** Who is asking; set by `requires`. */
    principal: Principal;
    /** The body as it came, decompressed; set by `jsonBody`. */
    body_text: string | undefined;
  }
}
