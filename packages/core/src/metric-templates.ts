import type { Aggregation } from "./metric.ts";

/** The start of a metric: what people count most often, to be changed where it differs. */
export interface MetricTemplate {
  readonly id: string;
  readonly name: string;
  /** What it is good for. */
  readonly purpose: string;
  /** `null`: to be chosen. */
  readonly aggregation: Aggregation | null;
  readonly unit: string | null;
  /** A body for `POST /v1/metrics`; that of `custom` is blank. */
  readonly metric: Readonly<Record<string, unknown>>;
}

interface Shape {
  readonly name: string;
  readonly purpose: string;
  readonly aggregation: Aggregation;
  readonly unit: string;
  readonly event: string;
  /** Fields beyond the defaults. */
  readonly rest?: Readonly<Record<string, unknown>>;
}

const SHAPES: readonly Shape[] = [
  {
    name: "API Requests",
    purpose: "Track API calls",
    aggregation: "count",
    unit: "requests",
    event: "api_request",
    rest: { group_by: ["endpoint"], exposed_event_keys: ["endpoint", "method", "status"] },
  },
  {
    name: "LLM Tokens",
    purpose: "Track token usage",
    aggregation: "sum",
    unit: "tokens",
    event: "llm_call",
    rest: { value_property: "tokens", group_by: ["model"] },
  },
  {
    name: "Worker Duration",
    purpose: "Track task duration",
    aggregation: "sum",
    unit: "ms",
    event: "task_finished",
    rest: { value_property: "duration_ms", decimal_places: 3 },
  },
  {
    name: "Storage GB",
    purpose: "Track storage usage",
    aggregation: "max",
    unit: "GB",
    event: "storage_measured",
    rest: { value_property: "gb", decimal_places: 3 },
  },
  { name: "Emails Sent", purpose: "Track sent emails", aggregation: "count", unit: "emails", event: "email_sent" },
  {
    name: "Unique Users",
    purpose: "Track active users",
    aggregation: "unique",
    unit: "users",
    event: "user_active",
    rest: { distinct_by: "user_id" },
  },
];

const CUSTOM = { id: "custom", name: "Custom", purpose: "Count anything else", aggregation: null, unit: null };

/** Every template, in the order in which people should see them. */
export const METRIC_TEMPLATES: readonly MetricTemplate[] = [
  ...SHAPES.map(toTemplate),
  { ...CUSTOM, metric: toMetric({ name: "", description: "", unit: "", aggregation: null, event_matchers: [] }) },
];

function toTemplate({ name, purpose, aggregation, unit, event, rest = {} }: Shape): MetricTemplate {
  const fields = { name, description: purpose, unit, aggregation, event_matchers: [{ event }], ...rest };
  return { id: name.toLowerCase().replaceAll(" ", "_"), name, purpose, aggregation, unit, metric: toMetric(fields) };
}

/** What a form shows of a metric. */
function toMetric(fields: MetricTemplate["metric"]): MetricTemplate["metric"] {
  return {
    type: "charge_metered",
    value_property: null,
    distinct_by: null,
    group_by: [],
    exposed_event_keys: [],
    decimal_places: 0,
    ...fields,
  };
}
