import type { Trend } from "@tidemark/core/trend";

/** One day of a customer's series. */
export interface DayValue {
  /** `YYYY-MM-DD`. */
  readonly day: string;
  /** An exact decimal. */
  readonly value: string;
}

/** One customer of the top-customers report, as the API answers it. */
export interface TopCustomerRow {
  readonly rank: number;
  readonly customer_id: string;
  /** What people call the customer; `null` while nobody has said. */
  readonly name: string | null;
  /** An exact decimal. */
  readonly total: string;
  readonly active_days: number;
  /** RFC 3339. */
  readonly last_seen_at: string;
  readonly trend: Trend;
  readonly trend_detail: { readonly change: string | null; readonly rule: string };
  /** Every day of the period in order; days without use are "0". */
  readonly series: readonly DayValue[];
}

/** What the top-customers table and its chart are drawn from: the part of the API's answer that people see. */
export interface TopCustomersReport {
  /** The metric's. */
  readonly name: string;
  readonly unit: string;
  /** The metric's: count, sum, max, min, unique or latest. */
  readonly aggregation: string;
  /** How many days the period has, and its first and last, `YYYY-MM-DD`. */
  readonly days: number;
  readonly from: string;
  readonly to: string;
  readonly time_zone: string;
  /** The day that is not over yet: it is hatched. `null` when every day is complete. */
  readonly incomplete_day: string | null;
  /** Up to when usage is in these figures, RFC 3339. */
  readonly as_of: string;
  /** Whether figures are estimates. */
  readonly approximate: boolean;
  /** In order of rank. */
  readonly data: readonly TopCustomerRow[];
}

/** Whether the totals of several customers add up to something: those of maxima or distinct counts do not. */
export function addsUp({ aggregation }: Pick<TopCustomersReport, "aggregation">): boolean {
  return aggregation === "count" || aggregation === "sum";
}

/** What people call a customer. */
export function displayName(row: Pick<TopCustomerRow, "customer_id" | "name">): string {
  return row.name ?? row.customer_id;
}
