import { decimalText, quotientText, sizeOf } from "./oracle-usage.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;

/** What is known of a customer when the trend is judged. */
export interface OracleHistory {
  readonly now: number;
  readonly first_seen_at: number;
  readonly last_seen_at: number;
  readonly active_days: number;
  readonly days: number;
  readonly current: bigint;
  readonly previous: bigint;
  readonly last7: bigint;
  readonly previous7: bigint;
}

export interface OracleTrend {
  readonly trend: "new" | "dormant" | "check_in" | "growing" | "declining" | "steady";
  readonly change: string | null;
  readonly rule: string;
}

/** The first rule that holds, in the words in which it is printed. */
export function judgeTrend(history: OracleHistory): OracleTrend {
  const { current, previous } = history;
  const change = previous === 0n ? null : quotientText(current - previous, sizeOf(previous));
  return { ...firstRule(history), change };
}

function firstRule(history: OracleHistory): Omit<OracleTrend, "change"> {
  const { now, first_seen_at, last_seen_at, active_days, days, current, previous, last7, previous7 } = history;
  const [age, silence] = [now - first_seen_at, now - last_seen_at];
  if (age < 14 * DAY_MS)
    return { trend: "new", rule: `The first event was ${spanText(age)} ago; a customer is new for 14 days.` };
  if (silence >= 7 * DAY_MS)
    return { trend: "dormant", rule: `No event for ${spanText(silence)}; 7 days of silence are dormant.` };
  // Whoever came lately cannot have been active before; the days that count are those of UTC.
  const possible = Math.min(days, Math.floor(now / DAY_MS) - Math.floor(first_seen_at / DAY_MS) + 1);
  if (silence >= 36 * HOUR_MS && active_days * 5 >= possible * 4) {
    const rule =
      `No event for ${spanText(silence)} after being active on ${active_days} of ${possible} days; ` +
      "from 80% of the days, 36 hours are a reason to ask.";
    return { trend: "check_in", rule };
  }
  if (previous7 > 0n && last7 * 2n <= previous7) {
    const rule = `The last 7 days came to ${percentText(last7, previous7)} of the 7 days before; 50% or less is a reason to ask.`;
    return { trend: "check_in", rule };
  }
  return { ...movement(current, previous) };
}

function movement(current: bigint, previous: bigint): Omit<OracleTrend, "change"> {
  if (previous === 0n)
    return { trend: "steady", rule: "Nothing was used in the equal period before, so there is no change to judge." };
  if (current === previous) return { trend: "steady", rule: "The same as in the equal period before." };
  const difference = current - previous;
  const isLarge = sizeOf(difference) * 10n >= sizeOf(previous) * 3n;
  const percent = percentText(sizeOf(difference), sizeOf(previous));
  const way = difference > 0n ? "Up" : "Down";
  const said = `${way} ${percent} on the equal period before;`;
  if (!isLarge) return { trend: "steady", rule: `${said} less than 30% is steady.` };
  const trend = difference > 0n ? "growing" : "declining";
  return { trend, rule: `${said} 30% or more is ${trend}.` };
}

/** Cut off after a tenth of a per cent. */
function percentText(part: bigint, whole: bigint): string {
  const permille = (part * 1000n) / whole;
  if (permille === 0n && part !== 0n) return "less than 0.1%";
  return `${decimalText(permille, 1)}%`;
}

/** Whole hours below three days, then whole days. */
function spanText(ms: number): string {
  const hours = Math.floor(ms / HOUR_MS);
  if (hours >= 72) return `${Math.floor(ms / DAY_MS)} days`;
  if (hours < 1) return "less than an hour";
  return hours === 1 ? "1 hour" : `${hours} hours`;
}
