import { METRICS_MAX } from "@tidemark/contract";
import type { CustomersQuery } from "@tidemark/contract/customer-schema";
import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import { LAST_SEEN_METRICS_MAX } from "@tidemark/contract/query-limits";
import { parseDecimal } from "@tidemark/core/exact";
import type { CustomerSort } from "@tidemark/db/customers";
import { findMetric, listMetrics } from "@tidemark/db/metrics";
import { invalid } from "../../plumbing/issues.ts";
import { toMetric } from "../metrics/metric.ts";

/** What a list of customers shows, and in which order. */
export interface ListQuestion {
  /** `null` when no metric was asked for. */
  readonly metrics: readonly MetricDefinition[] | null;
  readonly sort:
    | { readonly kind: "field"; readonly field: CustomerSort }
    | { readonly kind: "last_seen_at" }
    | { readonly kind: "metric"; readonly slug: string };
  readonly descending: boolean;
  /** In the smallest unit of the metric that it is sorted by. */
  readonly min: bigint | undefined;
}

/**
 * Reads the metrics and the order of a list.
 *
 * @throws Problem invalid_request.
 */
export async function readList(db: D1Database, projectId: string, query: CustomersQuery): Promise<ListQuestion> {
  const descending = query.sort.startsWith("-");
  const sort = readSort(query.sort.replace(/^-/, ""));
  const sorting = sort.kind === "metric" ? await findNamed(db, projectId, sort.slug, "/sort") : undefined;
  const asked = await readMetrics(db, projectId, query.metrics);
  if (sort.kind === "last_seen_at" && asked === null)
    throw fault("/sort", "Customers are last seen in metrics: name some in `metrics`, or ask for `metrics=all`.");
  if (sort.kind === "last_seen_at" && (asked?.length ?? 0) > LAST_SEEN_METRICS_MAX)
    throw fault("/sort", `Can order by when customers were last seen in at most ${LAST_SEEN_METRICS_MAX} metrics.`);
  const isShown = sorting === undefined || asked?.some(({ id }) => id === sorting.id) === true;
  return {
    metrics: isShown ? asked : [...(asked ?? []), sorting],
    // A metric that was renamed goes by its slug of now.
    sort: sorting === undefined ? sort : { kind: "metric", slug: sorting.slug },
    descending,
    min: query.min === undefined ? undefined : readAmount(query.min, sorting),
  };
}

const FIELDS: readonly CustomerSort[] = ["customer_id", "name", "first_seen_at"];

function readSort(name: string): ListQuestion["sort"] {
  const field = FIELDS.find((known) => known === name);
  if (field !== undefined) return { kind: "field", field };
  if (name === "last_seen_at") return { kind: "last_seen_at" };
  return { kind: "metric", slug: name.replace(/^metric:/, "") };
}

async function readMetrics(
  db: D1Database,
  projectId: string,
  text: string | undefined,
): Promise<readonly MetricDefinition[] | null> {
  if (text === undefined) return null;
  if (text === "all") {
    const rows = await listMetrics(db, projectId, { after: undefined, limit: METRICS_MAX });
    return rows.map(toMetric);
  }
  const slugs = [...new Set(text.split(",").map((slug) => slug.trim()))];
  if (slugs.length > METRICS_MAX) throw fault("/metrics", `Must name at most ${METRICS_MAX} metrics.`);
  const found = await Promise.all(slugs.map((slug) => findNamed(db, projectId, slug, "/metrics")));
  return [...new Map(found.map((metric) => [metric.id, metric])).values()];
}

/** A parameter that names nothing is wrong; the list itself is there. */
async function findNamed(db: D1Database, projectId: string, slug: string, pointer: string): Promise<MetricDefinition> {
  const row = await findMetric(db, projectId, slug);
  if (row !== undefined) return toMetric(row);
  const fields = pointer === "/sort" ? `Must be ${FIELDS.join(", ")}, last_seen_at or a metric's slug; ` : "";
  throw fault(
    pointer,
    `${fields}${JSON.stringify(slug)} is no metric of this project. GET /v1/metrics lists those it has.`,
  );
}

function readAmount(text: string, metric: MetricDefinition | undefined): bigint {
  if (metric === undefined) throw fault("/min", "Is an amount of the metric that the list is sorted by: sort by one.");
  const amount = parseDecimal(text, metric.decimal_places);
  if (typeof amount !== "string") return BigInt(amount);
  throw fault("/min", `Must be a decimal with at most ${metric.decimal_places} places, within 64 bits.`);
}

function fault(pointer: string, detail: string): Error {
  return invalid([{ pointer, code: "invalid_value", detail }]);
}
