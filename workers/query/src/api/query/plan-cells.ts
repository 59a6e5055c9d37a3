import type { ProblemDetail } from "@tidemark/contract";
import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import type { Measure } from "@tidemark/contract/query-words";
import { QUERY_VIEWS_MAX } from "@tidemark/contract/query-limits";
import type { Span } from "@tidemark/core/buckets";
import { type DayPlan, limitPlan } from "@tidemark/core/day-plan";
import { DAY_MS } from "@tidemark/core/timestamp";
import type { CellView } from "@tidemark/db/ad-hoc-query";
import { invalid } from "../../plumbing/issues.ts";
import type { Counter } from "../usage/counters.ts";
import type { ReadQuestion } from "./read-question.ts";
import type { SlotPlan } from "./time-slots.ts";

/** All that cells are read by. */
export interface CellRequest {
  readonly project_id: string;
  readonly metric: MetricDefinition;
  readonly counters: readonly Counter[];
  readonly question: ReadQuestion;
  /** `null`: every customer. */
  readonly customer_ids: readonly string[] | null;
  readonly span: Span;
  /** How that span, and those it is compared with, are cut. */
  readonly slots: SlotPlan;
  readonly now: number;
}

/** Where a cell is. */
export interface CellAt {
  /** The segment's place in the metric; 0 when not grouped by segment. */
  readonly segment: number;
  /** Which of the spans. */
  readonly span: number;
  readonly slot: number;
}

/** A cell's number: segments hold spans, spans hold slots. */
export function cellNumber({ plans, slots }: SlotPlan, { segment, span, slot }: CellAt): number {
  return (segment * plans.length + span) * slots.length + slot;
}

/**
 * How each counter is looked at; those whose versions have the same labels and segments, as one.
 *
 * @throws Problem invalid_request where too many have different ones.
 */
export function planViews({ counters, question, metric, slots }: CellRequest, plan: DayPlan): readonly CellView[] {
  const views = new Map<string, CellView>();
  for (const { counter_id, group_by, segments, first, last } of counters) {
    const own = limitPlan(plan, { first, last });
    const view = {
      labels: question.labels.map((label) => group_by.indexOf(label)),
      only: question.only.map(([label, values]) => [group_by.indexOf(label), values] as const),
      segment: question.segment === null ? null : segments.indexOf(question.segment),
      segments: question.bySegment ? toBits(metric, segments, slots) : null,
    };
    if (view.segment === -1 || own.whole.length + own.cut.length === 0) continue;
    const key = JSON.stringify(view);
    const known = views.get(key)?.counters ?? [];
    views.set(key, { ...view, counters: known.concat({ counter_id, first, last }) });
  }
  if (views.size <= QUERY_VIEWS_MAX) return [...views.values()];
  const detail = "Holds too many versions of the metric with other labels or segments: ask for fewer days.";
  throw invalid([{ pointer: "/range", code: "too_many_rows", detail }]);
}

/** The plans of all spans as one, each in buckets of its own. A day can be in several. */
export function planSpans({ plans, slots, days }: SlotPlan): DayPlan {
  const offset = (span: number): number => span * slots.length * days;
  return {
    whole: plans.flatMap(({ whole }, span) => whole.map(([day, bucket]) => [day, bucket + offset(span)] as const)),
    cut: plans.flatMap(({ cut }, span) =>
      cut.map(([day, hours]) => {
        const buckets = hours.map((bucket) => (bucket === null ? null : bucket + offset(span)));
        return [day, buckets] as const;
      }),
    ),
  };
}

function toBits(metric: MetricDefinition, names: readonly string[], slots: SlotPlan): [bit: number, offset: number][] {
  return metric.segments.flatMap(({ name }, segment) => {
    const bit = names.indexOf(name);
    return bit < 0 ? [] : [[bit, cellNumber(slots, { segment, span: 0, slot: 0 }) * slots.days]];
  });
}

/**
 * Refuses what is kept by the UTC day where parts of one are asked for.
 *
 * @throws Problem invalid_request.
 */
export function checkExactness({ question, metric, slots, span, now }: CellRequest): void {
  const isCut = slots.plans.some(({ cut }) => cut.length > 0);
  const faults = question.measures.flatMap((measure, index): ProblemDetail[] => {
    const pointer = `/measures/${index}`;
    if (isCut && isKeptByDay(measure, metric)) return [{ pointer, code: "invalid_value", detail: byDay(measure) }];
    const isOpen = measure === "last_seen_at" && span.end < now && span.end % DAY_MS !== 0;
    if (!isOpen) return [];
    const detail = "`last_seen_at` is kept by the UTC day: let the range end with one, or with today.";
    return [{ pointer, code: "invalid_value", detail }];
  });
  if (faults.length > 0) throw invalid(faults);
}

/** A distinct count's hours are in its ids, which are not opened to count days and customers. */
function isKeptByDay(measure: Measure, { aggregation }: MetricDefinition): boolean {
  if (measure === "events" || measure === "rejected") return true;
  return aggregation === "unique" && (measure === "active_days" || measure === "customers");
}

function byDay(measure: Measure): string {
  return `\`${measure}\` is kept by the UTC day, of which this range, zone or group would take parts: use tz UTC and whole days, or leave it out.`;
}
