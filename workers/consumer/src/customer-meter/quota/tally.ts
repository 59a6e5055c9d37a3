import { decidedCounter, type Threshold } from "@tidemark/contract";
import { addExact, type Exact } from "@tidemark/core";
import { planDays } from "@tidemark/core/day-plan";
import { dayOf, HOUR_MS } from "@tidemark/core/timestamp";
import { type CounterView, UsageFold } from "@tidemark/core/usage-fold";
import type { Books } from "../books.ts";
import type { Metered } from "./metered-metrics.ts";
import type { Fired } from "./fired.ts";
import type { Watched } from "./watch.ts";

/** What a tally is measured in: a cycle, and what it gives. */
export interface TallySpan {
  readonly start: number;
  readonly end: number;
  readonly allowance: Exact | null;
}

/**
 * What a customer used of a metric, or of one of its segments, in a cycle: for thresholds that no balance can
 * tell. It is read from the days, and goes along with what is counted in them.
 */
export class Tally implements Watched {
  readonly metered: Metered;
  /** The name of the segment; `null`: everything. */
  readonly segment: string | null;
  readonly #bit: number | null;
  readonly #books: Books;
  readonly #fired: Map<string, Fired>;
  #span: TallySpan;
  /** `undefined`: to be read from the days. */
  #used: Exact | undefined;

  constructor(
    {
      metered,
      segment,
      span,
    }: { readonly metered: Metered; readonly segment: string | null; readonly span: TallySpan },
    books: Books,
    fired: Map<string, Fired>,
  ) {
    this.metered = metered;
    this.segment = segment;
    this.#bit = segment === null ? null : metered.metric.segments.findIndex(({ name }) => name === segment);
    this.#books = books;
    this.#fired = fired;
    this.#span = span;
  }

  get cycle(): TallySpan {
    return this.#span;
  }

  get allowance(): Exact | null {
    return this.#span.allowance;
  }

  get used(): Exact {
    return (this.#used ??= this.#read());
  }

  get fired(): ReadonlyMap<string, Fired> {
    return this.#fired;
  }

  note(key: string, fired: Fired): void {
    this.#fired.set(key, fired);
  }

  namesFor({ segment }: Threshold): readonly string[] {
    return segment === null ? [] : [segment];
  }

  /** Whether what was used is the sum of what is counted. */
  get isAdditive(): boolean {
    const { aggregation } = this.metered.metric;
    return aggregation === "count" || aggregation === "sum";
  }

  /** Goes on in a span: another cycle is read anew. */
  moveTo(span: TallySpan): void {
    if (span.start !== this.#span.start) this.#used = undefined;
    this.#span = span;
  }

  /** The days have changed in a way that was not told. */
  invalidate(): void {
    this.#used = undefined;
  }

  /** Something was counted. */
  add(value: Exact, instant: number, segments: number): void {
    if (instant < this.#span.start || instant >= this.#span.end) return;
    if (this.#bit !== null && ((segments >> this.#bit) & 1) === 0) return;
    if (this.#used === undefined) return;
    this.#used = this.isAdditive ? addExact(this.#used, value) : undefined;
  }

  #read(): Exact {
    const { metric } = this.metered;
    const { start, end } = this.#span;
    const plan = planDays([{ start: Math.floor(start / HOUR_MS) * HOUR_MS, end: Math.ceil(end / HOUR_MS) * HOUR_MS }]);
    const fold = new UsageFold(metric.aggregation, plan);
    const views = new Map(
      [metric.counter_id, decidedCounter(metric.counter_id)].map((id) => [id, viewOf(id, this.#bit)] as const),
    );
    for (const day of this.#books.read(dayOf(start), dayOf(end))) {
      const view = views.get(day.metric_id);
      if (view !== undefined) fold.addDay(day, view);
    }
    const total = fold.figures()[0]?.total ?? 0n;
    // A distinct count is of ids: the unit of the metric is one of them.
    const units = metric.aggregation === "unique" ? total * 10n ** BigInt(metric.decimal_places) : total;
    return addExact(0, units);
  }
}

function viewOf(counterId: string, segment: number | null): CounterView {
  return { counter_id: counterId, first: -Infinity, last: Infinity, labelIndexes: null, segment, only: [] };
}
