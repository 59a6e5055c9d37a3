import { EVENT_AHEAD_MS_MAX, METRIC_VERSIONS_MAX, type ProblemDetail } from "@tidemark/contract";
import { type MetricChange, type MetricInput, MetricInputSchema } from "@tidemark/contract/metric-schema";
import { EFFECTIVE_AHEAD_MS_MAX } from "@tidemark/contract/query-limits";
import { assignColors } from "@tidemark/core/segment-colors";
import { parseTimestamp } from "@tidemark/core/timestamp";
import type { MetricRow } from "@tidemark/db/metrics";
import { Problem } from "@tidemark/http/problem";
import { toInstantText } from "../../plumbing/instant.ts";
import { invalid, toProblem } from "../../plumbing/issues.ts";
import { type Definition, toDefinition } from "./metric.ts";

/** What usage of before and after a change would not mean the same under. */
const FIXED = ["aggregation", "decimal_places", "distinct_by"] as const;
/** A change of these makes a version. */
const COUNTING = ["event_matchers", "filters", "value_property", "group_by", "segments"] as const;

/**
 * The metric that a change makes of one: a version more when what is counted changes, from
 * `effective_from` on. It is always later than the one it was made from, by a millisecond at least.
 *
 * @param now in milliseconds.
 * @throws Problem invalid_request, conflict.
 */
export function applyChange(row: MetricRow, change: MetricChange, now: number): MetricRow {
  const { effective_from, ...fields } = change;
  const before = toDefinition(row.definition);
  refuseFixed(before, fields);
  const result = MetricInputSchema.safeParse(merge({ ...before, slug: row.slug }, fields));
  if (!result.success) throw toProblem(result.error);
  const input = result.data;
  const slug = input.slug ?? row.slug;
  const definition = JSON.stringify({ ...input, slug, segments: assignColors(input.segments, before.segments) });
  const next = { ...row, slug, definition, updated_at: Math.max(now, row.updated_at + 1) };
  const named = COUNTING.filter((field) => change[field] !== undefined);
  if (effective_from !== undefined && named.length === 0)
    throw fault("effective_from", `Goes only with a change of what is counted: ${COUNTING.join(", ")}.`);
  if (!named.some((field) => rule(before, field) !== rule(input, field))) return next;
  if (row.version >= METRIC_VERSIONS_MAX)
    throw new Problem(
      "conflict",
      `The metric has ${METRIC_VERSIONS_MAX} versions, the most a metric can have; make a new one and backfill it.`,
    );
  const start =
    effective_from === undefined
      ? Math.max(now + EVENT_AHEAD_MS_MAX, row.effective_from)
      : readStart(effective_from, row, now);
  return { ...next, version: row.version + 1, effective_from: start };
}

function refuseFixed(before: Definition, change: MetricChange): void {
  const errors = FIXED.filter((field) => change[field] !== undefined && change[field] !== before[field]).map(
    (field): ProblemDetail => ({
      pointer: `/${field}`,
      code: "cannot_change",
      detail: `Is ${JSON.stringify(before[field])} for good: what was counted would mean something else. Make a new metric and backfill it.`,
    }),
  );
  if (errors.length > 0) throw invalid(errors);
}

/** What is absent stays, null is the default again, and of `display` each field goes by itself. */
function merge(before: Definition, { display, ...fields }: Omit<MetricChange, "effective_from">): object {
  const merged: Record<string, unknown> = { ...before };
  for (const [field, value] of Object.entries(fields)) if (value !== undefined) merged[field] = value ?? undefined;
  if (display !== undefined) merged["display"] = display === null ? undefined : { ...before.display, ...display };
  return merged;
}

/** A rule of counting, comparable. A segment's colour is none. */
function rule(definition: MetricInput | Definition, field: (typeof COUNTING)[number]): string {
  return JSON.stringify(
    field === "segments" ? definition.segments.map(({ name, filters }) => [name, filters]) : definition[field],
  );
}

function readStart(text: string, previous: MetricRow, now: number): number {
  const start = parseTimestamp(text);
  if (Number.isNaN(start)) throw fault("effective_from", "Must be RFC 3339 with an offset (2026-11-01T12:00:00Z).");
  if (start < now + EVENT_AHEAD_MS_MAX)
    throw fault(
      "effective_from",
      `Must not be before ${toInstantText(now + EVENT_AHEAD_MS_MAX)}, five minutes from now: what happened until then may have been counted. Leave it out, and backfill to count the past by the new rules.`,
    );
  if (start < previous.effective_from)
    throw fault(
      "effective_from",
      `Must not be before ${toInstantText(previous.effective_from)}, from when on version ${previous.version} counts.`,
    );
  if (start > now + EFFECTIVE_AHEAD_MS_MAX)
    throw fault("effective_from", "Must be within a year: no other change can take effect before it.");
  return start;
}

function fault(field: string, detail: string): Problem {
  return invalid([{ pointer: `/${field}`, code: "invalid_value", detail }]);
}
