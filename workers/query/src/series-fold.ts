import type { Aggregation } from "@tidemark/core";
import { type DayPlan, planDays } from "@tidemark/core/day-plan";
import { type CounterView, type FoldedDay, type UsageFigure, UsageFold } from "@tidemark/core/usage-fold";
import { spansOf, type WindowName, type Windows } from "./windows.ts";

/** One metric of one customer, day by day. */
export interface Series {
  /** Of every day that was read; `undefined` where nothing counted. */
  readonly days: readonly (UsageFigure | undefined)[];
  /** What a span comes to; `undefined` where nothing counted. */
  over(name: WindowName): UsageFigure | undefined;
}

/**
 * Composes days and the spans that they are compared by. What a span comes to follows from its days, but
 * for a distinct count, where the same id may be in several: so its spans are folded like the days are.
 */
export class SeriesFold {
  readonly #aggregation: Aggregation;
  readonly #windows: Windows;
  readonly #days: UsageFold;
  readonly #spans: ReadonlyMap<WindowName, UsageFold>;

  constructor(aggregation: Aggregation, windows: Windows, plans: SeriesPlans = planSeries(windows)) {
    this.#aggregation = aggregation;
    this.#windows = windows;
    this.#days = new UsageFold(aggregation, plans.days);
    this.#spans = new Map(
      aggregation === "unique"
        ? [...plans.spans].map(([name, plan]) => [name, new UsageFold(aggregation, plan)] as const)
        : [],
    );
  }

  addDay(day: FoldedDay, view: CounterView): void {
    this.#days.addDay(day, view);
    for (const span of this.#spans.values()) span.addDay(day, view);
  }

  /** Adds a day that was composed elsewhere; not of a distinct count. */
  addFigure(figure: UsageFigure): void {
    this.#days.addFigure(figure);
  }

  read(): Series {
    const days = this.#windows.days.map((): UsageFigure | undefined => undefined);
    for (const figure of this.#days.figures()) days[figure.bucket] = figure;
    const spans = spansOf(this.#windows);
    return {
      days,
      over: (name) => {
        const folded = this.#spans.get(name);
        if (folded !== undefined) return folded.figures()[0];
        const [from, end] = spans.get(name) ?? [0, 0];
        return mergeFigures(this.#aggregation, days.slice(from, end));
      },
    };
  }
}

/** The plans of all series over the same days. */
export interface SeriesPlans {
  readonly days: DayPlan;
  readonly spans: ReadonlyMap<WindowName, DayPlan>;
}

export function planSeries(windows: Windows): SeriesPlans {
  const { days } = windows;
  const spans = new Map<WindowName, DayPlan>();
  for (const [name, [from, end]] of spansOf(windows)) {
    const start = days[from]?.start;
    const until = days[end - 1]?.end;
    spans.set(name, planDays(start === undefined || until === undefined ? [] : [{ start, end: until }]));
  }
  return { days: planDays(days), spans };
}

function mergeFigures(
  aggregation: Aggregation,
  figures: readonly (UsageFigure | undefined)[],
): UsageFigure | undefined {
  const fold = new UsageFold(aggregation, { whole: [], cut: [] });
  for (const figure of figures) if (figure !== undefined) fold.addFigure({ ...figure, bucket: 0 });
  return fold.figures()[0];
}
