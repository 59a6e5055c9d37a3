import { dayOf } from "./timestamp.ts";

/** UTC days, both ends included; infinite where nothing bounds them. */
export interface DayRange {
  readonly first: number;
  readonly last: number;
}

/**
 * On which UTC days each version of a metric is shown: from the day where it begins to the day where a
 * later one does. Two versions share the day that a boundary cuts, because each counted other events of
 * it. A version that a later one has replaced from the start is not shown at all.
 *
 * @param shownFrom where each version begins, oldest first, in milliseconds; `null`: however long ago.
 */
export function shownDays(shownFrom: readonly (number | null)[]): readonly (DayRange | null)[] {
  return shownFrom.map((from, index) => {
    const until = Math.min(...shownFrom.slice(index + 1).map((later) => later ?? -Infinity));
    const start = from ?? -Infinity;
    return until <= start ? null : { first: dayOf(start), last: dayOf(until - 1) };
  });
}
