import type { BalanceDefinition, DefineRequest, MeteredMetric, Threshold } from "@tidemark/contract";
import type { Metric } from "@tidemark/core";
import { defaultsOf, type MetricType, type Terms } from "@tidemark/core/terms";
import { metricOf } from "./metric.ts";

/** Terms of a type, with monthly cycles from the beginning of 2026, UTC. */
export function termsOf(type: MetricType, metric: Metric, changes: Partial<Terms> = {}): Terms {
  const schedule = {
    interval: { count: 1, period: "months" },
    anchor: Date.UTC(2026, 0, 1),
    time_zone: "UTC",
  } as const;
  const base = type === "limit_metered" || type === "limit_recurring" ? 1000 : null;
  const { aggregation } = metric;
  return { ...defaultsOf(type), aggregation, base, schedule, by_segment: false, per: null, ...changes };
}

interface Wish {
  readonly project_id: string;
  readonly customer_id: string;
  readonly type?: MetricType;
  readonly metric?: Partial<Metric>;
  readonly terms?: Partial<Terms>;
  readonly definition?: Partial<BalanceDefinition>;
  readonly thresholds?: readonly (Partial<Threshold> & Pick<Threshold, "id" | "line">)[];
  readonly catalog_version?: number;
}

/** What tells a meter of one balance. */
export function defineRequest({
  type = "limit_metered",
  metric: rules = {},
  terms,
  definition,
  thresholds = [],
  catalog_version = 1,
  ...address
}: Wish): Extract<DefineRequest, { readonly kind: "set" }> {
  const metric = metricOf(rules);
  const interval = { count: 1, period: "months", time_zone: "UTC" } as const;
  const metered: MeteredMetric = { metric, thresholds: thresholds.map(toThreshold), interval, catalog_version };
  return {
    ...address,
    kind: "set",
    definition: {
      id: `alw_${metric.id}`,
      metric_id: metric.id,
      terms: termsOf(type, metric, terms),
      unavailable: "closed",
      product: null,
      ...definition,
    },
    metered,
    mode: "keep",
    replaces: null,
    only_new: false,
  };
}

/** A line that usage comes up to, once in a cycle, but for what is wished. */
function toThreshold(wish: Partial<Threshold> & Pick<Threshold, "id" | "line">): Threshold {
  return { version: 1, name: null, operator: ">=", segment: null, repeat: "per_cycle", hysteresis: 0, ...wish };
}
