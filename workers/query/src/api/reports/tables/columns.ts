import type { ReportAnswer } from "@tidemark/contract/report-schema";
import type { CustomerCell, ReportColumn, ReportTable } from "@tidemark/contract/report-table";

/** Columns that most reports have. */
export const RANK: ReportColumn = { key: "rank", title: "#", kind: "rank" };
export const CUSTOMER: ReportColumn = { key: "customer_id", title: "Customer", kind: "customer" };
export const LAST_SEEN: ReportColumn = { key: "last_seen_at", title: "Last use", kind: "instant" };

/** A quantity in the metric's unit. */
export function quantity(key: string, title: string, { unit }: Pick<ReportAnswer, "unit">): ReportColumn {
  return { key, title, hint: unit, kind: "quantity" };
}

export function customerCell({ customer_id, name }: CustomerCell): CustomerCell {
  return { customer_id, name };
}

/** What every table says of the report that it is made of. */
export function aboutTable(answer: ReportAnswer): Pick<ReportTable, "as_of" | "time_zone" | "approximate"> {
  const { as_of, time_zone, approximate } = answer;
  return { as_of, time_zone, approximate };
}

/** `1 customer`, `2 customers`. */
export function countOf(count: number, noun = "customer"): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** The size of a share of 1 as people say it: `12.5%`. The point is moved, so that nothing is rounded. */
export function percentOf(share: string): string {
  const [whole = "0", fraction = ""] = share.replace("-", "").split(".");
  const digits = fraction.padEnd(2, "0");
  const moved = `${whole}${digits.slice(0, 2)}`.replace(/^0+(?=\d)/, "");
  const rest = digits.slice(2);
  return `${moved}${rest === "" ? "" : `.${rest}`}%`;
}

/** What people call a customer. */
export function nameOf({ customer_id, name }: CustomerCell): string {
  return name ?? customer_id;
}
