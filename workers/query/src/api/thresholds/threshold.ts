import type { RawAmount, Threshold } from "@tidemark/contract";
import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import type { ThresholdAnswer } from "@tidemark/contract/threshold-schema";
import { toUnits } from "@tidemark/contract/wanted-terms";
import { type Exact, formatExact } from "@tidemark/core/exact";
import { readThreshold, type ThresholdDefinition } from "@tidemark/db/metered";
import { findThreshold, type ThresholdRow } from "@tidemark/db/thresholds";
import { Problem } from "@tidemark/http/problem";
import { toInstantText } from "../../plumbing/instant.ts";
import { invalid } from "../../plumbing/issues.ts";

/** A stored threshold as it is answered. */
export function toThreshold(row: ThresholdRow): ThresholdAnswer {
  const { name, operator, line, segment, repeat, hysteresis } = toDefinition(row);
  return {
    id: row.id,
    version: row.version,
    metric: row.metric,
    name,
    operator,
    ...toLineAnswer(line, row.decimal_places),
    segment,
    repeat,
    hysteresis: formatExact(hysteresis, "units" in line ? row.decimal_places : 0),
    customer_id: row.customer_id,
    created_at: toInstantText(row.created_at),
    updated_at: toInstantText(row.updated_at),
  };
}

export function toDefinition({ definition }: Pick<ThresholdRow, "definition">): ThresholdDefinition {
  return readThreshold(definition);
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

/**
 * How far back usage has to come, in what the line is in.
 *
 * @throws Problem invalid_request.
 */
export function readHysteresis(amount: RawAmount, line: Threshold["line"], places: number): Exact {
  const units = toUnits(amount, "units" in line ? places : 0);
  const fault =
    typeof units === "string"
      ? units
      : units < 0
        ? "Must be 0 or more."
        : "percent" in line && units > line.percent
          ? "Must be at most `percent`."
          : undefined;
  if (fault !== undefined || typeof units === "string")
    throw invalid([{ pointer: "/hysteresis", code: "invalid_value", detail: fault ?? "" }]);
  return units;
}

/** @throws Problem invalid_request for a segment that the metric does not have. */
export function checkSegment(name: string | null, { segments }: Pick<MetricDefinition, "segments">): void {
  if (name === null || segments.some((segment) => segment.name === name)) return;
  const names = segments.map((segment) => segment.name).join(", ");
  const detail = names === "" ? "This metric has no segments." : `Must be one of ${names}.`;
  throw invalid([{ pointer: "/segment", code: "invalid_value", detail }]);
}

/** @throws Problem not_found, the same whether it is nobody's or another project's. */
export async function requireThreshold(db: D1Database, projectId: string, id: string): Promise<ThresholdRow> {
  const row = await findThreshold(db, projectId, id);
  if (row === undefined)
    throw new Problem("not_found", "The project has no threshold with this id; GET /v1/thresholds lists those it has.");
  return row;
}
