import { DayIndex, type DayPlan, limitPlan } from "@tidemark/core/day-plan";
import { type CounterView, UsageFold } from "@tidemark/core/usage-fold";
import { type DayPage, readDays, scanDays, type StoredDay } from "@tidemark/db/usage";
import { FoldBudget } from "../../fold-budget.ts";
import type { Counter } from "../usage/counters.ts";
import { type CellRequest, cellNumber } from "./plan-cells.ts";
import type { PlacedCell } from "./read-cells.ts";

/**
 * The cells of a distinct count. The database cannot unite ids, so they are united here.
 *
 * @throws Problem invalid_request where they are too many.
 */
export async function foldDistinct(db: D1Database, request: CellRequest): Promise<readonly PlacedCell[]> {
  const budget = new FoldBudget("/range", "Ask for fewer days, or name customers in `filter.customers`.");
  const indexes = indexSpans(request);
  const folds = new Map<string, readonly SpanFold[]>();
  for (const counter of request.counters) {
    const views = toViews(request, counter);
    if (views.length === 0) continue;
    for await (const page of readPages(db, request, counter)) {
      budget.take(page);
      for (const day of page.days) {
        const customerId = request.question.byCustomer ? day.customer_id : "";
        const spans = folds.get(customerId) ?? newFolds(request, indexes);
        folds.set(customerId, spans);
        const wanted = filterGroups(day, request.question, counter);
        for (const { segment, view } of views)
          for (const own of spans) if (own.segment === segment) own.fold.addDay(wanted, view);
      }
    }
  }
  return [...folds].flatMap(([customer_id, spans]) =>
    spans.flatMap(({ segment, span, fold }) =>
      fold.figures().map(({ bucket: slot, group, total, approximate }) => {
        const cell = cellNumber(request.slots, { segment, span, slot });
        return { customer_id, group, cell, total, approximate };
      }),
    ),
  );
}

/** One customer's, or everybody's, ids of one span and segment. */
interface SpanFold {
  readonly segment: number;
  readonly span: number;
  readonly fold: UsageFold;
}

interface SegmentView {
  readonly segment: number;
  readonly view: CounterView;
}

/** How a counter is looked at, for each segment that the question tells apart. */
function toViews(
  request: CellRequest,
  { counter_id, group_by, segments, first, last }: Counter,
): readonly SegmentView[] {
  const { labels, segment, bySegment } = request.question;
  if (segment !== null && !segments.includes(segment)) return [];
  // Without labels to group by, the day as a whole tells the same.
  const labelIndexes = isSplit(request) ? labels.map((label) => group_by.indexOf(label)) : null;
  const view = { counter_id, first, last, labelIndexes, segment: null, only: [] };
  if (!bySegment) return [{ segment: 0, view }];
  return request.metric.segments.flatMap(({ name }, index) => {
    const bit = segments.indexOf(name);
    return bit < 0 ? [] : [{ segment: index, view: { ...view, segment: bit } }];
  });
}

/** Whether a day's groups have to be told apart. */
function isSplit({ question: { labels, only, segment, bySegment } }: CellRequest): boolean {
  return labels.length + only.length > 0 || segment !== null || bySegment;
}

/** The counter's days in all spans: those of the customers that are named, or of all. */
async function* readPages(db: D1Database, request: CellRequest, counter: Counter): AsyncGenerator<DayPage> {
  const { project_id, customer_ids, slots } = request;
  const { counter_id } = counter;
  const groups = isSplit(request);
  const days = [...new Set(slots.plans.flatMap((plan) => listDays(limitPlan(plan, counter))))].toSorted(
    (a, b) => a - b,
  );
  const [first, last] = [days[0], days.at(-1)];
  if (first === undefined || last === undefined) return;
  if (customer_ids === null) yield* scanDays(db, { project_id, counter_id, first, last, groups });
  else {
    const units = customer_ids.flatMap((customer_id) => days.map((day) => [{ customer_id, counter_id, day, groups }]));
    yield* readDays(db, project_id, units, true);
  }
}

function listDays({ whole, cut }: DayPlan): readonly number[] {
  return [...whole, ...cut].map(([day]) => day);
}

/** Ids are united within a slot, on whatever day of it they were seen. */
function indexSpans({ slots }: CellRequest): readonly DayIndex[] {
  const toSlot = (bucket: number): number => Math.floor(bucket / slots.days);
  return slots.plans.map(
    ({ whole, cut }) =>
      new DayIndex({
        whole: whole.map(([day, bucket]) => [day, toSlot(bucket)]),
        cut: cut.map(([day, hours]) => [day, hours.map((bucket) => (bucket === null ? null : toSlot(bucket)))]),
      }),
  );
}

function newFolds({ metric, question }: CellRequest, indexes: readonly DayIndex[]): readonly SpanFold[] {
  const segments = question.bySegment ? metric.segments.length : 1;
  return indexes.flatMap((index, span) =>
    Array.from({ length: segments }, (_, segment) => ({ segment, span, fold: new UsageFold("unique", index) })),
  );
}

/** The day with those of its groups that have the labels, and are in the segment, that are asked for. */
function filterGroups(day: StoredDay, { only, segment }: CellRequest["question"], counter: Counter): StoredDay {
  if (only.length === 0 && segment === null) return day;
  const bit = segment === null ? null : counter.segments.indexOf(segment);
  const conditions = only.map(([label, values]) => [counter.group_by.indexOf(label), values] as const);
  const groups = day.groups.filter(
    ({ labels, segments = 0 }) =>
      (bit === null || ((segments >> bit) & 1) === 1) &&
      conditions.every(([index, values]) => values.includes(labels[index] ?? "")),
  );
  return { ...day, groups };
}
