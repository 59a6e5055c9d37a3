/** A report as lists and menus show it, with what its parameters are when a question does not say. */
export interface ReportKind {
  readonly title: string;
  readonly description: string;
  readonly days: number;
  readonly limit: number;
  /** Parameters besides `metric`, `days` and `limit`. */
  readonly others: readonly "label"[];
}

const reports = {
  "top-customers": {
    title: "Top customers",
    description: "Who uses most of a metric, with active days, last use, trend and daily series.",
    days: 30,
    limit: 20,
    others: [],
  },
  growing: {
    title: "Growing customers",
    description: "Who uses more than 30% more than in the equal period before: ready for a larger plan.",
    days: 30,
    limit: 20,
    others: [],
  },
  dropping: {
    title: "Dropping customers",
    description: "Who uses less than half of what they used in the equal period before: early signs of churn.",
    days: 7,
    limit: 20,
    others: [],
  },
  dormant: {
    title: "Dormant customers",
    description: "Who has been silent for 7 days or more, and what they used before.",
    days: 30,
    limit: 20,
    others: [],
  },
  "near-limit": {
    title: "Customers near their limit",
    description: "Who has used 80% or more of what the cycle gives them, live from their meters.",
    days: 30,
    limit: 20,
    others: [],
  },
  "heavy-labels": {
    title: "Heavy labels",
    description: "What the top customers' usage is made of, by one of the metric's labels.",
    days: 30,
    limit: 20,
    others: ["label"],
  },
  "hour-of-day": {
    title: "Hours of the day",
    description: "When the top customers use the metric, by hour of the day: in bursts, or steadily.",
    days: 30,
    limit: 5,
    others: [],
  },
  "error-rate": {
    title: "Error rates",
    description: "Which share of the top customers' usage has a 4xx or 5xx status.",
    days: 30,
    limit: 20,
    others: [],
  },
} as const satisfies Record<string, ReportKind>;

export type ReportName = keyof typeof reports;

/** Every report, in the order in which they are listed. */
export const REPORTS: Readonly<Record<ReportName, ReportKind>> = reports;
