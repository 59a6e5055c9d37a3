import type { RawAmount, Threshold } from "@tidemark/contract";
import type { ThresholdAnswer } from "@tidemark/contract/threshold-schema";
import { toUnits } from "@tidemark/contract/wanted-terms";
import { formatExact } from "@tidemark/core/exact";
import { fromExactJson } from "@tidemark/core/exact-json";
import type { ThresholdDefinition } from "@tidemark/db/metered";
import { findThreshold, type ThresholdRow } from "@tidemark/db/thresholds";
import { Problem } from "@tidemark/http/problem";
import { toInstantText } from "../../plumbing/instant.ts";
import { invalid } from "../../plumbing/issues.ts";

/** A stored threshold as it is answered. */
export function toThreshold(row: ThresholdRow): ThresholdAnswer {
  const { name, operator, line } = toDefinition(row);
  return {
    id: row.id,
    version: row.version,
    metric: row.metric,
    name,
    operator,
    ...toLineAnswer(line, row.decimal_places),
    customer_id: row.customer_id,
    created_at: toInstantText(row.created_at),
    updated_at: toInstantText(row.updated_at),
  };
}

export function toDefinition({ definition }: Pick<ThresholdRow, "definition">): ThresholdDefinition {
  return fromExactJson(definition) as ThresholdDefinition;
}

/** Where a threshold stands, by the field that says it. */
export function toLineAnswer(line: Threshold["line"], places: number): Pick<ThresholdAnswer, "value" | "percent"> {
  return "units" in line
    ? { value: formatExact(line.units, places), percent: null }
    : { value: null, percent: line.percent };
}

/** Where a request wants it, one of both being there. @throws Problem invalid_request. */
export function readLine(
  { value, percent }: { readonly value?: RawAmount | undefined; readonly percent?: number | undefined },
  places: number,
): Threshold["line"] | undefined {
  if (percent !== undefined) return { percent };
  if (value === undefined) return undefined;
  const units = toUnits(value, places);
  if (typeof units === "string") throw invalid([{ pointer: "/value", code: "invalid_value", detail: units }]);
  return { units };
}

/** @throws Problem not_found, the same whether it is nobody's or another project's. */
export async function requireThreshold(db: D1Database, projectId: string, id: string): Promise<ThresholdRow> {
  const row = await findThreshold(db, projectId, id);
  if (row === undefined)
    throw new Problem("not_found", "The project has no threshold with this id; GET /v1/thresholds lists those it has.");
  return row;
}
