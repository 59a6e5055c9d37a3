import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import { USAGE_ROWS_MAX } from "@tidemark/contract/query-limits";
import type { UsageRow } from "@tidemark/contract/usage-schema";
import type { Span } from "@tidemark/core/buckets";
import type { UsageFigure } from "@tidemark/core/usage-fold";
import { invalid } from "../../plumbing/issues.ts";
import { toInstantText } from "../../plumbing/instant.ts";
import { toQuantity } from "../../quantity.ts";

/**
 * A row for every bucket, and every group that occurs, by time and then by group; where nothing counted it
 * is "0", or null where there was nothing to measure.
 *
 * @throws Problem invalid_request when that is too many rows.
 */
export function toUsageRows(
  figures: readonly UsageFigure[],
  buckets: readonly Span[],
  shape: { readonly metric: MetricDefinition; readonly labels: readonly string[] | null },
): UsageRow[] {
  const { metric, labels } = shape;
  const groups = labels === null ? ["[]"] : [...new Set(figures.map(({ group }) => group))].toSorted();
  const count = figures.length > USAGE_ROWS_MAX ? figures.length : groups.length * buckets.length;
  if (count > USAGE_ROWS_MAX) throw tooManyRows();
  const totals = new Map(figures.map(({ bucket, group, total }) => [`${bucket} ${group}`, total]));
  const named = groups.map((group) => ({ group, fields: labels === null ? {} : { group: nameLabels(group, labels) } }));
  return buckets.flatMap(({ start, end }, bucket) => {
    const times = { start: toInstantText(start), end: toInstantText(end) };
    return named.map(({ group, fields }) => ({
      ...times,
      value: toQuantity(totals.get(`${bucket} ${group}`), metric),
      ...fields,
    }));
  });
}

function nameLabels(group: string, labels: readonly string[]): Record<string, string> {
  const values = JSON.parse(group) as readonly string[];
  return Object.fromEntries(labels.map((label, index) => [label, values[index] ?? ""]));
}

function tooManyRows(): Error {
  const detail = `Gives more than ${USAGE_ROWS_MAX} rows: ask for a shorter range, a coarser grain or fewer labels.`;
  return invalid([{ pointer: "/grain", code: "too_many_rows", detail }]);
}
