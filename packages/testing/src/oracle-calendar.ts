// Dates as text, so that no span of time is ever added to an instant: what day an event is on, the clock on the
// wall says, and days are counted on a calendar without clocks.

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** What a clock on the wall shows at an instant. */
export interface WallClock {
  /** `YYYY-MM-DD` */
  readonly date: string;
  /** 0 to 23. */
  readonly hour: number;
}

/** The clocks of a zone of whole hours; each hour is looked up once. */
export function clockOf(timeZone: string): (at: number) => WallClock {
  const format = new Intl.DateTimeFormat("en-CA", {
    timeZone,
    hourCycle: "h23",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
    hour: "2-digit",
  });
  const seen = new Map<number, WallClock>();
  return (at) => {
    const hour = Math.floor(at / HOUR_MS);
    const known = seen.get(hour);
    if (known !== undefined) return known;
    const parts = new Map(format.formatToParts(hour * HOUR_MS).map(({ type, value }) => [type, value]));
    const date = ["year", "month", "day"].map((part) => parts.get(part as "day") ?? "").join("-");
    const shown = { date, hour: Number(parts.get("hour")) };
    seen.set(hour, shown);
    return shown;
  };
}

/** The date so many days later, or earlier. */
export function addDays(date: string, days: number): string {
  return new Date(Date.parse(date) + days * DAY_MS).toISOString().slice(0, 10);
}

/** So many dates, oldest first, of which the last is given. */
export function datesUntil(last: string, count: number): readonly string[] {
  return Array.from({ length: Math.max(count, 0) }, (_, index) => addDays(last, index - count + 1));
}
