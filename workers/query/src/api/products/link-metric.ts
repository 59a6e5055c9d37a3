import type { Product } from "@tidemark/contract/product-schema";
import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import { findMetric } from "@tidemark/db/metrics";
import type { Problem } from "@tidemark/http/problem";
import { invalid } from "../../plumbing/issues.ts";
import { toMetric, unknownMetric } from "../metrics/metric.ts";

type Kind = Product["kind"];

/** A product's kind and metric, which decide about each other. */
export interface Link {
  readonly kind: Kind;
  readonly metric_id: string | null;
  /** The slug that the metric has now. */
  readonly metric: string | null;
  readonly definition: MetricDefinition | null;
}

/** What each kind can be linked to; the others take no metric. */
const AGGREGATIONS: Readonly<Partial<Record<Kind, readonly string[]>>> = {
  connected_seat: ["count"],
  usage: ["count", "sum"],
  credit: ["count", "sum"],
};

/**
 * Links a product to a metric by any slug that it ever had. A seat that is given one becomes a connected
 * seat.
 *
 * @throws Problem invalid_request: the kind and the metric do not go together, or there is no such metric.
 */
export async function linkMetric(
  db: D1Database,
  projectId: string,
  wanted: { readonly kind: Kind; readonly metric: string | null },
): Promise<Link> {
  const { metric: slug } = wanted;
  const kind = wanted.kind === "seat" && slug !== null ? "connected_seat" : wanted.kind;
  const allowed = AGGREGATIONS[kind];
  if (slug === null) {
    if (allowed !== undefined)
      throw fault("missing", `A ${kind} needs a metric: name one of aggregation ${allowed.join(" or ")}.`);
    return { kind, metric_id: null, metric: null, definition: null };
  }
  if (allowed === undefined)
    throw fault("invalid_value", `A ${kind} has no metric: send null, or choose another kind.`);
  const row = await findMetric(db, projectId, slug);
  if (row === undefined) throw unknownMetric();
  const definition = toMetric(row);
  const { aggregation } = definition;
  if (!allowed.includes(aggregation))
    throw fault(
      "invalid_value",
      `A ${kind} takes a metric of aggregation ${allowed.join(" or ")}; this one is ${aggregation}.`,
    );
  return { kind, metric_id: row.id, metric: row.slug, definition };
}

function fault(code: string, detail: string): Problem {
  return invalid([{ pointer: "/metric", code, detail }]);
}
