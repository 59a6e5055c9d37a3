import type { MeterAddress } from "@tidemark/contract";
import type { Aggregation } from "@tidemark/core";
import { overflowsInt64 } from "@tidemark/core/day-overflow";
import { type DayPlan, limitPlan } from "@tidemark/core/day-plan";
import type { DayRange } from "@tidemark/core/shown-days";
import { type CounterView, type FoldedDay, isTotal } from "@tidemark/core/usage-fold";
import { type DayLookup, readDays } from "@tidemark/db/usage";
import type { QueryEnv } from "../../env.ts";
import type { FoldBudget } from "../../fold-budget.ts";
import { readMeter } from "../../read-meter.ts";

/** A counter to read, and what takes its days. */
export interface CounterReading {
  readonly view: CounterView;
  readonly aggregation: Aggregation;
  readonly plan: DayPlan;
  readonly fold: { addDay(day: FoldedDay, view: CounterView): void };
}

/** What was found on the way. */
export interface CustomerMarks {
  /** Events of the days that were read that matched and had no usable value. */
  readonly rejected: number;
  /** Whether any of these days is beyond 64 bits. */
  readonly overflow: boolean;
  /** When the figures were read, in milliseconds. */
  readonly as_of: number;
  readonly live: boolean;
  /** Whether at least one of these days is there, counted or not. */
  readonly known: boolean;
}

/**
 * Folds one customer's days: those of the database, and those that the meter knows better, told apart by
 * their versions. The meter is asked first, so that what it sends to the database meanwhile is not missed.
 *
 * @param span UTC days that hold every plan.
 * @throws Problem invalid_request where too many days' ids would have to be united.
 */
export async function readCustomerDays(
  env: QueryEnv,
  address: MeterAddress,
  span: DayRange,
  { readings, budget }: { readonly readings: readonly CounterReading[]; readonly budget: FoldBudget },
): Promise<CustomerMarks> {
  const now = Date.now();
  const lookups = readings.flatMap((reading) => lookUp(reading, address.customer_id));
  const wanted = new Set(lookups.map(({ counter_id, day }) => keyOf(counter_id, day)));
  const byCounter = new Map(readings.map((reading) => [reading.view.counter_id, reading]));
  const reply = await readMeter(env, { address, metric_ids: [...byCounter.keys()], ...span }, now);
  const live = new Map(
    reply?.days.flatMap((day) => {
      const key = keyOf(day.metric_id, day.day);
      return wanted.has(key) ? [[key, day]] : [];
    }),
  );
  let rejected = 0;
  let overflow = false;
  let known = false;
  const take = (counterId: string, day: FoldedDay & { readonly rejected: number }, isOverflow: boolean): void => {
    const reading = byCounter.get(counterId);
    reading?.fold.addDay(day, reading.view);
    rejected += day.rejected;
    overflow ||= isOverflow;
    known = true;
  };
  const hasIds = readings.some(({ aggregation }) => aggregation === "unique");
  const units = lookups.map((lookup) => [lookup]);
  for await (const page of readDays(env.DB, address.project_id, units, hasIds)) {
    if (hasIds) budget.take(page);
    for (const day of page.days) {
      const key = keyOf(day.metric_id, day.day);
      if ((live.get(key)?.version ?? -1) > day.version) continue;
      live.delete(key);
      take(day.metric_id, day, day.overflow);
    }
  }
  for (const day of live.values()) take(day.metric_id, day, overflowsInt64(day));
  return { rejected, overflow, known, as_of: reply?.as_of ?? now, live: reply !== undefined };
}

/** The rows that a reading needs, with their groups where only these tell hours, labels, or when a value was said. */
export function lookUp(
  { view, aggregation, plan }: Omit<CounterReading, "fold">,
  customerId: string,
): readonly DayLookup[] {
  const { counter_id } = view;
  const { whole, cut } = limitPlan(plan, view);
  const isSplit = !isTotal(view);
  const look = (day: number, groups: boolean): DayLookup => ({ customer_id: customerId, counter_id, day, groups });
  return [
    ...whole.map(([day]) => look(day, isSplit || aggregation === "latest")),
    ...cut.map(([day]) => look(day, isSplit || aggregation !== "unique")),
  ];
}

function keyOf(counterId: string, day: number): string {
  return `${day} ${counterId}`;
}
