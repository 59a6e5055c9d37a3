import type { TimeGroup } from "@tidemark/contract/query-words";
import { bucketsOf, type Span } from "@tidemark/core/buckets";
import { type DayPlan, planDays } from "@tidemark/core/day-plan";
import { zoned } from "@tidemark/core/time-zone";
import { DAY_MS } from "@tidemark/core/timestamp";
import { toInstantText } from "../../plumbing/instant.ts";

/** One value of each time group, in their order: a day, or an hour of Mondays. */
export type Slot = readonly string[];

/** How spans of time are cut into the slots of a question. */
export interface SlotPlan {
  /** In the order of time; those of the calendar, or those of its clock and week, that a span holds. */
  readonly slots: readonly Slot[];
  /** Which of them have begun. */
  readonly begun: readonly boolean[];
  /** A plan for each span. A bucket is the slot's number times `days`, plus the day's. */
  readonly plans: readonly DayPlan[];
  /** How many days are told apart: 1 when none are. */
  readonly days: number;
}

/**
 * Cuts spans into slots. Slots of the clock and the week are shared by all spans.
 *
 * @param byDay whether a bucket tells the days of the zone apart.
 */
export function planSlots(
  spans: readonly Span[],
  groups: readonly TimeGroup[],
  { timeZone, byDay, now }: { readonly timeZone: string; readonly byDay: boolean; readonly now: number },
): SlotPlan {
  const found = new Map<string, { readonly slot: Slot; readonly order: string; readonly begins: number }>();
  const pieces = spans.map((span) => cut(span, groups, { timeZone, byDay }));
  for (const { start, slot, order } of pieces.flat()) {
    const key = JSON.stringify(slot);
    // One that recurs has begun once it has in one of the spans.
    const begins = Math.min(start, found.get(key)?.begins ?? Infinity);
    found.set(key, { slot, order, begins });
  }
  const sorted = [...found].toSorted(([, a], [, b]) => (a.order < b.order ? -1 : 1));
  const numbers = new Map(sorted.map(([key], index) => [key, index]));
  const dates = new Map<string, number>();
  for (const { date } of pieces.flat()) if (!dates.has(date)) dates.set(date, dates.size);
  const days = Math.max(dates.size, 1);
  const toBucket = ({ slot, date }: Piece): number =>
    (numbers.get(JSON.stringify(slot)) ?? 0) * days + (dates.get(date) ?? 0);
  return {
    slots: sorted.map(([, { slot }]) => slot),
    begun: sorted.map(([, { begins }]) => begins <= now),
    plans: pieces.map((own) => planPieces(own.map((piece) => ({ ...piece, bucket: toBucket(piece) })))),
    days,
  };
}

interface Piece extends Span {
  readonly slot: Slot;
  /** Text that sorts like the slot. */
  readonly order: string;
  /** The day of the zone, "" when days are not told apart. */
  readonly date: string;
}

/** A span as pieces that lie in one slot each, and in one day where days matter. */
function cut(
  span: Span,
  groups: readonly TimeGroup[],
  { timeZone, byDay }: { readonly timeZone: string; readonly byDay: boolean },
): readonly Piece[] {
  if (groups.length === 0 && !byDay) return [{ ...span, slot: [], order: "", date: "" }];
  const byHour = groups.includes("hour") || groups.includes("hour_of_day");
  return bucketsOf(span, "day", timeZone).flatMap((day) => {
    const start = zoned(day.start, timeZone);
    const date = start.toPlainDate();
    const inDay: Readonly<Record<Exclude<TimeGroup, "hour" | "hour_of_day">, string>> = {
      day: date.toString(),
      week: date.subtract({ days: date.dayOfWeek - 1 }).toString(),
      month: date.toPlainYearMonth().toString(),
      day_of_week: String(date.dayOfWeek),
    };
    const isPlain = day.end - day.start === DAY_MS && start.hour === 0 && zoned(day.end, timeZone).hour === 0;
    const hours = byHour ? bucketsOf(day, "hour", timeZone) : [day];
    return hours.map((piece, index) => {
      const values = groups.map((group) => {
        if (group === "hour") return toInstantText(piece.start);
        if (group === "hour_of_day") return String(isPlain ? index : zoned(piece.start, timeZone).hour);
        return inDay[group];
      });
      const order = values.map((value) => value.padStart(2, "0")).join(" ");
      return { ...piece, slot: values, order, date: byDay ? inDay.day : "" };
    });
  });
}

/** The days of pieces; neighbours in one bucket are one, so that a day within them stays whole. */
function planPieces(pieces: readonly (Span & { readonly bucket: number })[]): DayPlan {
  const joined: { start: number; end: number; bucket: number }[] = [];
  for (const { start, end, bucket } of pieces) {
    const last = joined.at(-1);
    if (last !== undefined && last.bucket === bucket && last.end === start) last.end = end;
    else joined.push({ start, end, bucket });
  }
  const plan = planDays(joined);
  const bucketAt = (index: number): number => joined[index]?.bucket ?? 0;
  return {
    whole: plan.whole.map(([day, index]) => [day, bucketAt(index)]),
    cut: plan.cut.map(([day, hours]) => [day, hours.map((index) => (index === null ? null : bucketAt(index)))]),
  };
}
