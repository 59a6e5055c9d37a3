import type { Trend } from "@tidemark/core/trend";

/**
 * A report as people read it: columns and rows, whatever the report. Pages, CSV, Slack and agents are made
 * of this; the JSON of a report has the same figures under its own names.
 */
export interface ReportTable {
  /** What the report is called, with the metric's name: "Top customers by API requests". */
  readonly title: string;
  /** What it shows, in one sentence made of its figures. */
  readonly summary: string;
  readonly columns: readonly ReportColumn[];
  readonly rows: readonly (readonly ReportCell[])[];
  /** Which columns a bar chart shows; `null` where bars would say nothing. */
  readonly chart: { readonly label: number; readonly value: number } | null;
  /** The rules with their numbers, printed under the table. */
  readonly notes: readonly string[];
  /** What to do about an empty table. */
  readonly empty: string;
  /** When the figures were read, RFC 3339. */
  readonly as_of: string;
  readonly time_zone: string;
  /** Whether figures are estimates. */
  readonly approximate: boolean;
}

export interface ReportColumn {
  /** In CSV, and the same for the same column of every report. */
  readonly key: string;
  readonly title: string;
  /** Small, beside the title: what the figures are in, or compare. */
  readonly hint?: string;
  readonly kind:
    | "rank"
    | "customer"
    | "text"
    | "quantity"
    | "count"
    | "share"
    | "change"
    | "instant"
    | "trend"
    | "series";
}

/**
 * What stands in a column of each kind: `customer` a customer, `trend` a verdict, `series` values in order, and
 * everything else text: an exact decimal, RFC 3339 for `instant`, and for `share` and `change` a decimal of which 1
 * is the whole. `null`: there is nothing to say.
 */
export type ReportCell = null | string | CustomerCell | TrendCell | SeriesCell;

export interface CustomerCell {
  readonly customer_id: string;
  readonly name: string | null;
}

export interface TrendCell {
  readonly trend: Trend;
  readonly stars: 0 | 1 | 2;
  /** The rule that decided, with its numbers. */
  readonly rule: string;
  readonly change: string | null;
}

export interface SeriesCell {
  readonly series: readonly { readonly label: string; readonly value: string | null }[];
  /** The label of the part that is not over. */
  readonly incomplete: string | null;
}
