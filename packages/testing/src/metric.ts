import type { Metric } from "@tidemark/core";

/** A metric with the rules that a test is about; it counts every `call` and has no past. */
export function metricOf(rules: Partial<Metric> = {}): Metric {
  const id = rules.id ?? "m";
  return {
    id,
    slug: id,
    version: 1,
    counter_id: id,
    received_from: null,
    counts_from: null,
    counts_until: null,
    backfilled: [],
    event_matchers: [{ event: "call" }],
    filters: null,
    aggregation: "count",
    value_property: null,
    distinct_by: null,
    group_by: [],
    segments: [],
    exposed_event_keys: [],
    decimal_places: 0,
    ...rules,
  };
}

/** Statements that store a metric, as it would be after it was made at `madeAt`. */
export function insertMetric(
  db: Pick<D1Database, "prepare">,
  projectId: string,
  metric: Pick<Metric, "id" | "slug">,
  madeAt = 0,
): D1PreparedStatement[] {
  const { id, slug } = metric;
  const definition = JSON.stringify(metric);
  return [
    db
      .prepare(
        "INSERT INTO metrics (project_id, id, slug, version, definition, created_at, updated_at) VALUES (?, ?, ?, 1, ?, ?, ?)",
      )
      .bind(projectId, id, slug, definition, madeAt, madeAt),
    db.prepare("INSERT INTO metric_slugs (project_id, slug, metric_id) VALUES (?, ?, ?)").bind(projectId, slug, id),
    db
      .prepare(
        "INSERT INTO metric_versions (project_id, metric_id, version, counter_id, definition, effective_from, created_at) VALUES (?, ?, 1, ?, ?, ?, ?)",
      )
      .bind(projectId, id, id, definition, madeAt, madeAt),
  ];
}
