import type { ReportAnswer, ReportQuestion } from "@tidemark/contract/report-schema";
import { errorRates, heavyLabels, hoursOfDay } from "./oracle-parts.ts";
import { dormant, dropping, growing, nearLimit, topCustomers } from "./oracle-rankings.ts";
import { OracleView, type OracleWorld } from "./oracle-view.ts";

export type { ReportAnswer, ReportQuestion } from "@tidemark/contract/report-schema";
export type { OracleLimit } from "./oracle-view.ts";

/**
 * What reports must answer, from the events alone: slow, obvious, and sharing no code with the product. Numbers
 * and rules are written down a second time here, by what the documents say.
 */
export class ReportOracle {
  readonly #view: OracleView;

  constructor(world: OracleWorld) {
    this.#view = new OracleView(world);
  }

  /** The whole answer. */
  answer({ report, params }: ReportQuestion): ReportAnswer {
    const view = this.#view;
    switch (report) {
      case "top-customers":
        return topCustomers(view, params);
      case "growing":
        return growing(view, params);
      case "dropping":
        return dropping(view, params);
      case "dormant":
        return dormant(view, params);
      case "near-limit":
        return nearLimit(view, params);
      case "heavy-labels":
        return heavyLabels(view, params);
      case "hour-of-day":
        return hoursOfDay(view, params);
      case "error-rate":
        return errorRates(view, params);
    }
  }
}
