import type { MeterRpc } from "@tidemark/contract";

/** What the ingest Worker is given. */
export interface IngestEnv {
  /** To look keys up, which no request waits for once its key is known, and for what is rare: never to decide. */
  readonly DB: D1Database;
  readonly EVENTS: Queue<string>;
  readonly METERS: DurableObjectNamespace<MeterRpc & Rpc.DurableObjectBranded>;
  /** The secret under which keys are hashed. */
  readonly KEY_PEPPER: string;
}
