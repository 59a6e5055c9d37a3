import type { ReportAnswer } from "@tidemark/contract/report-schema";
import type { ReportTable } from "@tidemark/contract/report-table";
import { comparedTable } from "./tables/compared-table.ts";
import { dormantTable } from "./tables/dormant-table.ts";
import { errorRateTable } from "./tables/error-rate-table.ts";
import { heavyLabelsTable } from "./tables/heavy-labels-table.ts";
import { hourOfDayTable } from "./tables/hour-of-day-table.ts";
import { nearLimitTable } from "./tables/near-limit-table.ts";
import { topCustomersTable } from "./tables/top-customers-table.ts";

/** A report as people read it. */
export function toReportTable(answer: ReportAnswer): ReportTable {
  switch (answer.report) {
    case "top-customers":
      return topCustomersTable(answer);
    case "growing":
    case "dropping":
      return comparedTable(answer);
    case "dormant":
      return dormantTable(answer);
    case "near-limit":
      return nearLimitTable(answer);
    case "heavy-labels":
      return heavyLabelsTable(answer);
    case "hour-of-day":
      return hourOfDayTable(answer);
    case "error-rate":
      return errorRateTable(answer);
  }
}
