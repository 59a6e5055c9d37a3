import { decidedCounter, type Threshold } from "@tidemark/contract";
import { addExact, type Exact } from "@tidemark/core";
import { planDays } from "@tidemark/core/day-plan";
import { dayOf, HOUR_MS } from "@tidemark/core/timestamp";
import { type CounterView, UsageFold } from "@tidemark/core/usage-fold";
import type { Books } from "../books.ts";
import type { Fired } from "./fired.ts";
import type { Metered } from "./metered-metrics.ts";
import type { Watched } from "./watch.ts";

/** What a tally is measured in: a cycle, and what it gives. */
export interface TallySpan {
  readonly start: number;
  readonly end: number;
  readonly allowance: Exact | null;
}

/** Of a span that begins within an hour: what that hour had before, because usage is kept by the hour. */
export interface TallyBase {
  readonly start: number;
  readonly units: Exact;
}

/** What tallies of a meter keep in its row. */
export interface TallyMemory {
  /** By threshold and version. */
  readonly fired: Map<string, Fired>;
  /** By tally. */
  readonly bases: Map<string, TallyBase>;
}

/**
 * What a customer used of a metric, or of one of its segments, in a cycle: for thresholds that no balance can
 * tell. It is read from the days, and goes along with what is counted in them.
 */
export class Tally implements Watched {
  readonly metered: Metered;
  /** The name of the segment; `null`: everything. */
  readonly segment: string | null;
  readonly label = "";
  readonly #key: string;
  readonly #bit: number | null;
  readonly #books: Books;
  readonly #memory: TallyMemory;
  #span: TallySpan;
  /** `undefined`: to be read from the days; `null`: nothing was measured. */
  #used: Exact | null | undefined;

  constructor(
    {
      metered,
      segment,
      span,
    }: { readonly metered: Metered; readonly segment: string | null; readonly span: TallySpan },
    books: Books,
    memory: TallyMemory,
  ) {
    this.metered = metered;
    this.segment = segment;
    this.#key = tallyKey(metered.metric.id, segment);
    this.#bit = segment === null ? null : metered.metric.segments.findIndex(({ name }) => name === segment);
    this.#books = books;
    this.#memory = memory;
    this.#span = span;
    this.#begin();
  }

  get cycle(): TallySpan {
    return this.#span;
  }

  get allowance(): Exact | null {
    return this.#span.allowance;
  }

  get used(): Exact | null {
    if (this.#used === undefined) this.#used = this.#read();
    return this.#used;
  }

  /** What there is before anything is. */
  get nothing(): Exact | null {
    const { aggregation } = this.metered.metric;
    return this.isAdditive || aggregation === "unique" ? 0 : null;
  }

  get fired(): ReadonlyMap<string, Fired> {
    return this.#memory.fired;
  }

  note(key: string, fired: Fired): void {
    this.#memory.fired.set(key, fired);
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
    const isAnother = span.start !== this.#span.start;
    this.#span = span;
    if (!isAnother) return;
    this.#used = undefined;
    this.#begin();
  }

  /** What an hour that a cycle begins in had before can only be told when it begins. */
  #begin(): void {
    const { start } = this.#span;
    const known = this.#memory.bases.get(this.#key);
    if (known?.start === start) return;
    this.#memory.bases.delete(this.#key);
    if (start % HOUR_MS === 0 || !this.isAdditive) return;
    this.#memory.bases.set(this.#key, { start, units: this.#read() ?? 0 });
    this.#used = undefined;
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
    this.#used = this.isAdditive ? addExact(this.#used ?? 0, value) : undefined;
  }

  #read(): Exact | null {
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
    const [figure] = fold.figures();
    if (figure === undefined) return this.nothing;
    // A distinct count is of ids: the unit of the metric is one of them.
    const units = metric.aggregation === "unique" ? figure.total * 10n ** BigInt(metric.decimal_places) : figure.total;
    const base = this.#memory.bases.get(this.#key);
    return addExact(base?.start === start ? -base.units : 0, units);
  }
}

/** Names a tally. */
export function tallyKey(metricId: string, segment: string | null): string {
  return JSON.stringify([metricId, segment]);
}

function viewOf(counterId: string, segment: number | null): CounterView {
  return { counter_id: counterId, first: -Infinity, last: Infinity, labelIndexes: null, segment, only: [] };
}
