import { createRoute } from "@hono/zod-openapi";
import { PRODUCTS_MAX } from "@tidemark/contract";
import { DIGESTS_MAX } from "@tidemark/contract/query-limits";
import { listDigestsOf } from "@tidemark/db/digests";
import { deleteMetric as storeDeletion } from "@tidemark/db/metrics";
import { listLinkedProducts } from "@tidemark/db/products";
import { Problem } from "@tidemark/http/problem";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, KEYED } from "../../plumbing/routes.ts";
import { readUses, sayUses } from "../definitions/read-uses.ts";
import { requireMetricRow } from "./metric.ts";

const route = createRoute({
  method: "delete",
  path: "/v1/metrics/{slug}",
  tags: ["Metrics"],
  summary: "Delete a metric",
  description:
    "Only while no product is linked to it, no digest tells of it, and no allowance or subscription uses it; otherwise " +
    "`errors` lists these. Its thresholds go with it; its slugs stay taken.",
  security: KEYED,
  middleware: requires("admin"),
  request: { params: z.object({ slug: z.string() }) },
  responses: { 204: { description: "It is deleted." }, ...failures(404, 409) },
});

export function deleteMetric(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { DB } = context.env;
    const { project_id } = context.get("principal");
    const { id } = await requireMetricRow(DB, project_id, context.req.valid("param").slug);
    if (!(await storeDeletion(DB, { project_id, id }, Date.now()))) {
      const [products, digests, uses] = await Promise.all([
        listLinkedProducts(DB, project_id, id, PRODUCTS_MAX),
        listDigestsOf(DB, { project_id, metric_id: id }, DIGESTS_MAX),
        readUses(DB, project_id, { column: "metric_id", id }),
      ]);
      // Without all of them, another request has deleted it meanwhile, which is what was asked for.
      if (products.length > 0) throw linked(products);
      if (digests.length > 0) throw toldOf(digests);
      if (uses.count > 0)
        throw new Problem("conflict", `Customers use the metric: ${sayUses(uses)}. End these first.`, {
          errors: uses.errors,
        });
    }
    return context.body(null, 204);
  });
}

function linked(products: readonly { readonly slug: string; readonly name: string }[]): Problem {
  const names = products.map(({ name, slug }) => `${name} (${slug})`).join(", ");
  const detail = `The metric is linked to ${products.length} product${products.length === 1 ? "" : "s"}: ${names}. Unlink or delete them first.`;
  return new Problem("conflict", detail, {
    errors: products.map(({ name, slug }) => ({
      pointer: `/products/${slug}`,
      code: "linked_product",
      detail: `${name} (${slug}) is linked to this metric.`,
    })),
  });
}

function toldOf(digests: readonly { readonly id: string; readonly name: string }[]): Problem {
  const names = digests.map(({ id, name }) => `${name} (${id})`).join(", ");
  const detail = `${digests.length} digest${digests.length === 1 ? " tells" : "s tell"} of the metric: ${names}. Delete them, or give them another metric, first.`;
  return new Problem("conflict", detail, {
    errors: digests.map(({ id, name }) => ({
      pointer: `/digests/${id}`,
      code: "linked_digest",
      detail: `${name} (${id}) tells of this metric.`,
    })),
  });
}
