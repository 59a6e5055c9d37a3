/** What the ingest Worker is given. */
export interface IngestEnv {
  /** Only to look keys up; no request waits for it once its key is known. */
  readonly DB: D1Database;
  readonly EVENTS: Queue<string>;
  /** The secret under which keys are hashed. */
  readonly KEY_PEPPER: string;
}
