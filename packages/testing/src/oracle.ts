import type { Aggregation, Json, UsageEvent } from "@tidemark/core";

/**
 * What a metric comes to, from the events alone: slow, obvious, and sharing no code with the product.
 */
export interface OracleRule {
  readonly aggregation: Aggregation;
  /** Whether an event matches. */
  readonly matches: (event: UsageEvent) => boolean;
  /** The value or the id; `undefined` for count. */
  readonly value: (event: UsageEvent) => Json | undefined;
  readonly labels: (event: UsageEvent) => readonly string[];
  /** Bit `i` for segment `i`. */
  readonly segments: (event: UsageEvent) => number;
  readonly decimals: number;
}

export interface OracleDay {
  readonly value: string;
  readonly events: number;
  readonly rejected: number;
  /** By `labels|segments`. */
  readonly groups: Readonly<Record<string, string>>;
}

const DAY_MS = 86_400_000;

/** One customer's days. @param events each id once: the first one that was sent. */
export function oracleDays(rule: OracleRule, events: readonly UsageEvent[]): Readonly<Record<number, OracleDay>> {
  const matching = events.filter(rule.matches);
  const days: Record<number, OracleDay> = {};
  for (const day of new Set(matching.map(dayOf))) {
    const ofDay = matching.filter((event) => dayOf(event) === day);
    const counted = ofDay.filter((event) => valueOf(rule, event) !== undefined);
    const groupOf = (event: UsageEvent): string => `${JSON.stringify(rule.labels(event))}|${rule.segments(event)}`;
    days[day] = {
      value: aggregate(rule, counted),
      events: counted.length,
      rejected: ofDay.length - counted.length,
      groups: Object.fromEntries(
        [...new Set(counted.map(groupOf))].map((group) => [
          group,
          aggregate(
            rule,
            counted.filter((event) => groupOf(event) === group),
          ),
        ]),
      ),
    };
  }
  return days;
}

/** Distinct ids over any events. */
function countIds(rule: OracleRule, events: readonly UsageEvent[]): number {
  return new Set(events.filter(rule.matches).flatMap((event) => idOf(rule.value(event)) ?? [])).size;
}

function dayOf({ timestamp }: UsageEvent): number {
  return Math.floor(Number(timestamp) / DAY_MS);
}

/** The value in smallest units, or the id's text; `undefined` when the event is rejected. */
function valueOf(rule: OracleRule, event: UsageEvent): bigint | string | undefined {
  if (rule.aggregation === "count") return 10n ** BigInt(rule.decimals);
  const found = rule.value(event);
  return rule.aggregation === "unique" ? idOf(found) : unitsOf(found, rule.decimals);
}

function idOf(found: Json | undefined): string | undefined {
  if (found === undefined || found === null || found === "" || typeof found === "object") return undefined;
  return String(found);
}

function aggregate(rule: OracleRule, events: readonly UsageEvent[]): string {
  if (rule.aggregation === "unique") return String(countIds(rule, events));
  const values = events.map((event) => valueOf(rule, event) as bigint);
  switch (rule.aggregation) {
    case "count":
    case "sum":
      return values.reduce((sum, value) => sum + value, 0n).toString();
    case "max":
      return values.reduce((most, value) => (value > most ? value : most), values[0] ?? 0n).toString();
    case "min":
      return values.reduce((least, value) => (value < least ? value : least), values[0] ?? 0n).toString();
    case "latest": {
      // Events of one instant are not told apart here: tests give each its own.
      const last = events.toSorted((a, b) => Number(a.timestamp) - Number(b.timestamp)).at(-1);
      return last === undefined ? "0" : String(valueOf(rule, last));
    }
  }
}

/** A decimal as a whole number of units, by moving its point as one would on paper. */
function unitsOf(found: Json | undefined, decimals: number): bigint | undefined {
  if (typeof found !== "number" && typeof found !== "string") return undefined;
  const match = /^([-+]?)([0-9]+)(?:\.([0-9]+))?(?:e([-+]?[0-9]+))?$/i.exec(String(found));
  if (match === null) return undefined;
  const [, sign, whole = "", fraction = "", exponent = "0"] = match;
  const places = Number(exponent) + decimals;
  const digits = whole + fraction.padEnd(Math.max(places, 0), "0");
  const point = whole.length + places;
  const kept = point <= 0 ? "0" : digits.slice(0, point);
  const lost = point <= 0 ? digits : digits.slice(point);
  if (/[1-9]/.test(lost)) return undefined;
  const units = BigInt(kept) * (sign === "-" ? -1n : 1n);
  return units > 2n ** 63n - 1n || units < -(2n ** 63n) ? undefined : units;
}
