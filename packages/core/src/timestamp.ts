/**
 * Time points are milliseconds since 1970-01-01T00:00:00Z, whole numbers.
 */
export const HOUR_MS = 3_600_000;
export const DAY_MS = 86_400_000;

/** Numbers below this are unix seconds, at or above it unix milliseconds (the year 5138, or March 1973). */
const MILLISECONDS_FROM = 1e11;
/** 9999-12-31T23:59:59.999Z, the last instant RFC 3339 can write. */
const LAST_MS = 253402300799999;

function digits(text: string, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (!(digit >= 0 && digit <= 9)) return NaN;
    value = value * 10 + digit;
  }
  return value;
}

const MONTH_DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

function daysInMonth(year: number, month: number): number {
  const leap = month === 2 && year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0);
  return leap ? 29 : (MONTH_DAYS[month - 1] ?? 0);
}

/** Days from 1970-01-01 to a date of the Gregorian calendar (Howard Hinnant's `days_from_civil`). */
function epochDay(year: number, month: number, day: number): number {
  const y = month <= 2 ? year - 1 : year;
  const era = Math.floor(y / 400);
  const yearOfEra = y - era * 400;
  const dayOfYear = Math.floor((153 * (month + (month > 2 ? -3 : 9)) + 2) / 5) + day - 1;
  const dayOfEra = yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear;
  return era * 146097 + dayOfEra - 719468;
}

/**
 * Reads an RFC 3339 date-time with an offset. Fractions finer than a millisecond are cut off.
 *
 * @returns milliseconds, or `NaN` for anything else: a date without time or offset, 30 February,
 * a leap second (60), a space in place of the T.
 */
export function parseTimestamp(text: string): number {
  if (text.length < 20 || text.length > 40) return NaN;
  const tee = text.charCodeAt(10);
  if (
    text.charCodeAt(4) !== 45 ||
    text.charCodeAt(7) !== 45 ||
    (tee !== 84 && tee !== 116) ||
    text.charCodeAt(13) !== 58 ||
    text.charCodeAt(16) !== 58
  )
    return NaN;
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 7);
  const day = digits(text, 8, 10);
  const hour = digits(text, 11, 13);
  const minute = digits(text, 14, 16);
  const second = digits(text, 17, 19);
  if (!(month >= 1 && month <= 12 && day >= 1 && day <= daysInMonth(year, month))) return NaN;
  if (!(hour <= 23 && minute <= 59 && second <= 59)) return NaN;

  let at = 19;
  let milliseconds = 0;
  if (text.charCodeAt(at) === 46) {
    const from = ++at;
    while (text.charCodeAt(at) >= 48 && text.charCodeAt(at) <= 57) at++;
    if (at === from) return NaN;
    milliseconds = digits(text, from, Math.min(at, from + 3)) * (at - from === 1 ? 100 : at - from === 2 ? 10 : 1);
  }
  const offset = parseOffset(text, at);
  return epochDay(year, month, day) * DAY_MS + hour * HOUR_MS + minute * 60_000 + second * 1000 + milliseconds - offset;
}

/** The offset at `at`, in milliseconds east of UTC; `Z` is 0; `NaN` when it is not one or text follows. */
function parseOffset(text: string, at: number): number {
  const sign = text.charCodeAt(at);
  if (sign === 90 || sign === 122) return text.length === at + 1 ? 0 : NaN;
  if ((sign !== 43 && sign !== 45) || text.length !== at + 6 || text.charCodeAt(at + 3) !== 58) return NaN;
  const hours = digits(text, at + 1, at + 3);
  const minutes = digits(text, at + 4, at + 6);
  if (!(hours <= 23 && minutes <= 59)) return NaN;
  return (sign === 43 ? 1 : -1) * (hours * HOUR_MS + minutes * 60_000);
}

/**
 * An event's timestamp as milliseconds: RFC 3339 text, unix seconds (fractions allowed) or unix
 * milliseconds.
 *
 * @returns milliseconds, or `NaN` when it is none of these.
 */
export function toInstant(timestamp: unknown): number {
  if (typeof timestamp === "string") return parseTimestamp(timestamp);
  if (typeof timestamp !== "number" || !(timestamp >= 0)) return NaN;
  const instant = timestamp < MILLISECONDS_FROM ? Math.floor(timestamp * 1000) : Math.floor(timestamp);
  return instant <= LAST_MS ? instant : NaN;
}

/** The UTC day that contains an instant, as days since 1970-01-01. */
export function dayOf(instant: number): number {
  return Math.floor(instant / DAY_MS);
}

/** The hour of the UTC day, 0–23. */
export function hourOf(instant: number): number {
  return Math.floor(instant / HOUR_MS) % 24;
}

/** A UTC day as `YYYY-MM-DD`. */
export function formatDay(day: number): string {
  return new Date(day * DAY_MS).toISOString().slice(0, 10);
}
