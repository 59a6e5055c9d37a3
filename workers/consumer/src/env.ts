import type { CustomerMeter } from "./customer-meter/customer-meter.ts";

/** What the consumer Worker is given. */
export interface ConsumerEnv {
  readonly DB: D1Database;
  readonly ARCHIVE: R2Bucket;
  readonly METERS: DurableObjectNamespace<CustomerMeter>;
  readonly ROLLUPS: Queue<string>;
  /** Hands on jobs. */
  readonly JOBS: Queue<string>;
  /** Notices on their way to webhooks and Slack. */
  readonly NOTIFICATIONS: Queue<string>;
  /** Origins that webhooks may go to besides public https ones, separated by spaces. */
  readonly WEBHOOK_ORIGINS: string;
  /** The secret under which addresses and secrets of destinations are sealed. */
  readonly KEY_PEPPER: string;
  /** The shortest time between two flushes of one busy customer, in seconds. */
  readonly FLUSH_SECONDS_MIN: string;
}
