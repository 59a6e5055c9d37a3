/** Counters with limits in a database, as a team without a metering platform would keep them. */
export interface Store {
  /** Gives customers a limit, and nothing used. */
  readonly allow: (customers: readonly string[], limit: number) => Promise<void>;
  /** Uses an amount if the limit allows it. @returns what is used then, or `null` when it is not allowed. */
  readonly use: (customer: string, amount: number) => Promise<number | null>;
  /** What customers have used, all together. */
  readonly used: (customers: readonly string[]) => Promise<number>;
  readonly close: () => Promise<void>;
}

/** A database that can be started here, with how it keeps what it is told. */
export type StoreKind = "postgres" | "redis-always" | "redis-everysec";
