import type { ReportColumn } from "@tidemark/contract/report-table";
import { DAY_MS, HOUR_MS } from "@tidemark/core/timestamp";
import { type Decimal, fromDecimal, roundDecimal, toDecimal } from "./decimal.ts";

/** Powers of a thousand; beyond the last one the number in front grows instead. */
const SUFFIXES = ["", "K", "M", "B", "T"] as const;
/** The digits a compact number keeps. */
const SIGNIFICANT = 3;
const MINUTE_MS = 60_000;

/** An exact quantity with thousands separators: `18420000.5` → `18,420,000.5`. */
export function formatExactNumber(text: string): string {
  const [whole = "", fraction] = fromDecimal(toDecimal(text)).split(".");
  return withSign(whole.replace(/\B(?=(?:\d{3})+$)/g, ",") + (fraction === undefined ? "" : `.${fraction}`));
}

/**
 * A quantity at a glance: three digits and a power of a thousand, rounded on the decimal text, so that
 * no digit comes from a float.
 *
 * @example formatCompact("1234567") // "1.23M"
 */
export function formatCompact(text: string): string {
  const value = toDecimal(text);
  const whole = value.units.toString().replace("-", "").length - value.places;
  if (whole <= 3 && value.places === 0) return withSign(text);
  return compactIn(value, Math.min(Math.max(Math.ceil(whole / 3) - 1, 0), SUFFIXES.length - 1));
}

function compactIn(value: Decimal, power: number): string {
  const scaled: Decimal = { units: value.units, places: value.places + 3 * power };
  const digitsBefore = scaled.units.toString().replace("-", "").length - scaled.places;
  const rounded = roundDecimal(scaled, Math.max(SIGNIFICANT - digitsBefore, 0));
  const text = fromDecimal(rounded);
  // 999,950 rounds to a thousand thousands: that is one million.
  if (/^-?1000$/.test(text) && power < SUFFIXES.length - 1) return compactIn(value, power + 1);
  return formatExactNumber(text) + SUFFIXES[power];
}

/** A change as signed per cent, cut off after one place: `0.3427` → `+34.2%`. */
export function formatChange(change: string): string {
  const { units, places } = toDecimal(change);
  const tenths = fromDecimal({ units: (units * 1000n) / 10n ** BigInt(places), places: 1 });
  if (units === 0n) return "0%";
  if (tenths === "0") return `${units > 0n ? "+" : "−"}0.0%`;
  const shown = /\d{5}/.test(tenths) ? formatCompact(tenths) : formatExactNumber(tenths);
  return `${units > 0n ? "+" : ""}${shown}%`;
}

/** Part of a whole in per cent: the one place where a quantity becomes a float, because nothing is computed from it. */
export function formatShare(part: string, whole: string): string {
  const share = (Number(part) / Number(whole)) * 100;
  if (share > 0 && share < 0.1) return "<0.1%";
  return `${share >= 10 ? Math.round(share) : Math.round(share * 10) / 10}%`;
}

/** A figure of a report's column at a glance; of a kind that has no figures, the text as it is. */
export function formatFigure(text: string, kind: ReportColumn["kind"]): string {
  switch (kind) {
    case "quantity":
      return formatCompact(text);
    case "count":
    case "rank":
      return formatExactNumber(text);
    case "share":
      return formatShare(text, "1");
    case "change":
      return formatChange(text);
    default:
      return text;
  }
}

/** How long ago: `just now`, `2 min ago`, `3 hours ago`, `12 days ago`; or how far ahead: `in 5 days`. */
export function formatAgo(at: number, now: number): string {
  if (at - now >= MINUTE_MS) return `in ${formatDuration(at - now)}`;
  return now - at < MINUTE_MS ? "just now" : `${formatDuration(now - at)} ago`;
}

/** Milliseconds in the largest unit that fits, cut off to whole ones. */
export function formatDuration(ms: number): string {
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min`;
  if (ms < DAY_MS) return counted(Math.floor(ms / HOUR_MS), "hour");
  return counted(Math.floor(ms / DAY_MS), "day");
}

/** `1 day`, `2 days`. */
export function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** An instant in milliseconds as `21 Nov 2026, 02:05 UTC`. */
export function formatInstant(at: number): string {
  const { day, month, year, hour, minute } = partsOf(at);
  return `${day} ${month} ${year}, ${hour}:${minute} UTC`;
}

const CALENDAR = new Intl.DateTimeFormat("en-US", {
  timeZone: "UTC",
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
});

type CalendarPart = "day" | "month" | "year" | "hour" | "minute";

function partsOf(at: number): Readonly<Record<CalendarPart, string>> {
  const parts = new Map(CALENDAR.formatToParts(at).map(({ type, value }) => [type, value]));
  const part = (type: CalendarPart): string => parts.get(type) ?? "";
  return { day: part("day"), month: part("month"), year: part("year"), hour: part("hour"), minute: part("minute") };
}

/** Whether a text is a date, `2026-11-21`. */
export function isDay(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text);
}

/** `2026-11-21` as `21 Nov`. */
export function formatDayShort(day: string): string {
  return inCalendar(day, ({ day: date, month }) => `${date} ${month}`);
}

/** A place on an axis of time: `2026-11-21` as `21 Nov`, `2026-11-21T05:00:00Z` as `21 Nov, 05:00`, others as they are. */
export function formatTimeShort(text: string): string {
  const [, day = text, hour] = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d)/.exec(text) ?? [];
  const shown = isDay(day) ? formatDayShort(day) : day;
  return hour === undefined ? shown : `${shown}, ${hour}`;
}

/** `2026-11-21` as `21 Nov 2026`. */
export function formatDayLong(day: string): string {
  return inCalendar(day, ({ day: date, month, year }) => `${date} ${month} ${year}`);
}

function inCalendar(day: string, format: (parts: ReturnType<typeof partsOf>) => string): string {
  const at = isDay(day) ? Date.parse(`${day}T00:00:00Z`) : NaN;
  return Number.isNaN(at) ? day : format(partsOf(at));
}

/** A real minus sign, as wide as the digits. */
function withSign(text: string): string {
  return text.replace(/^-/, "−");
}
