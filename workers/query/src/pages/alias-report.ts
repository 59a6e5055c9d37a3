import type { NearLimitAnswer, ReportAnswer } from "@tidemark/contract/report-schema";
import { DAY_MS, parseTimestamp } from "@tidemark/core/timestamp";
import { toInstantText } from "../plumbing/instant.ts";
import { orderEquals } from "./order-equals.ts";

/** A report whose customers have other names, and whose rows tell nothing else of who they are. */
export function aliasReport(answer: ReportAnswer, aliasOf: (id: string) => string): ReportAnswer {
  const aliased = answer.data.map((row) => aliasRow(row, aliasOf));
  const fields = ORDERS[answer.report];
  const ordered = orderEquals(aliased, (row) => ({
    place: fields.map((field) => row[field]),
    alias: String(row["customer_id"]),
  }));
  const data = ordered.map((row, index) => ({ ...row, rank: index + 1 }));
  // Each row keeps the shape that its report gives it.
  return { ...answer, data } as unknown as ReportAnswer;
}

type Row = ReportAnswer["data"][number];
type Cycle = NearLimitAnswer["data"][number]["cycle"];
type FieldOf<Shape> = Shape extends unknown ? keyof Shape : never;

/**
 * What becomes of every field that a report's row can have. Of a new one somebody has to say it; until then, and of
 * what another release kept, it is left out. `days`: to the second, a cycle's start is nearly an id.
 */
const FIELDS: Readonly<Record<FieldOf<Row>, "shown" | "alias" | "hidden" | "days">> = {
  customer_id: "alias",
  name: "hidden",
  balance_id: "hidden",
  product: "hidden",
  cycle: "days",
  rank: "shown",
  total: "shown",
  active_days: "shown",
  last_seen_at: "shown",
  trend: "shown",
  trend_detail: "shown",
  series: "shown",
  value: "shown",
  previous: "shown",
  change: "shown",
  silent_days: "shown",
  label: "shown",
  labels: "shown",
  enforcement: "shown",
  used: "shown",
  reserved: "shown",
  allowance: "shown",
  share: "shown",
  remaining: "shown",
  hours: "shown",
  peak_hour: "shown",
  peak_share: "shown",
  busiest_share: "shown",
  rhythm: "shown",
  errors_4xx: "shown",
  errors_5xx: "shown",
  rate: "shown",
};
const RULES: ReadonlyMap<string, (typeof FIELDS)[FieldOf<Row>]> = new Map(Object.entries(FIELDS));

/** By which fields each report is ordered before its customers' ids decide. */
const ORDERS: Readonly<Record<ReportAnswer["report"], readonly FieldOf<Row>[]>> = {
  "top-customers": ["total"],
  growing: ["change", "previous"],
  dropping: ["change", "previous"],
  dormant: ["total"],
  "near-limit": ["share"],
  "heavy-labels": ["total"],
  "hour-of-day": ["total"],
  "error-rate": ["total"],
};

function aliasRow(row: Row, aliasOf: (id: string) => string): Readonly<Record<string, unknown>> {
  const fields = Object.entries(row).flatMap(([field, value]): (readonly [string, unknown])[] => {
    switch (RULES.get(field)) {
      case "shown":
        return [[field, value]];
      case "alias":
        return [[field, aliasOf(row.customer_id)]];
      case "hidden":
        return [[field, null]];
      case "days":
        return "cycle" in row ? [[field, toDays(row.cycle)]] : [];
      case undefined:
        return [];
    }
  });
  return Object.fromEntries(fields);
}

/** The days of UTC that a cycle touches, whole. */
function toDays({ start, end }: Cycle): Cycle {
  return {
    start: toInstantText(Math.floor(parseTimestamp(start) / DAY_MS) * DAY_MS),
    end: toInstantText(Math.ceil(parseTimestamp(end) / DAY_MS) * DAY_MS),
  };
}
