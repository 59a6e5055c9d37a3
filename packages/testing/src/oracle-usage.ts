import { clockOf } from "./oracle-calendar.ts";

/** An event as it was sent. */
export interface OracleEvent {
  readonly id: string;
  readonly event: string;
  readonly customer_id: string;
  /** Milliseconds. */
  readonly timestamp: number;
  readonly properties: Readonly<Record<string, string | number>>;
}

/** A metric that adds up, as far as reports look at it. */
export interface OracleMetric {
  readonly slug: string;
  readonly name: string;
  readonly unit: string;
  readonly aggregation: "count" | "sum";
  /** The name of the events that it counts. */
  readonly event: string;
  /** What is added; every event is one where this is `null`. */
  readonly property: string | null;
  readonly labels: readonly string[];
  readonly decimals: number;
  readonly allow_negative: boolean;
}

/** An event that counted. */
export interface Use {
  readonly at: number;
  readonly date: string;
  readonly hour: number;
  /** In the metric's smallest unit. */
  readonly units: bigint;
  readonly properties: OracleEvent["properties"];
}

/** Drops every repetition: the first event of a customer with an id is the one that counts. */
export function withoutRepeats(sent: readonly OracleEvent[]): readonly OracleEvent[] {
  const seen = new Set<string>();
  return sent.filter(({ customer_id, id }) => {
    const key = JSON.stringify([customer_id, id]);
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew;
  });
}

/** What each customer used of a metric, by the dates of a zone. */
export class OracleUsage {
  readonly customers: readonly string[];
  readonly #days = new Map<string, Map<string, Use[]>>();

  /** @param events each id once. */
  constructor(events: readonly OracleEvent[], metric: OracleMetric, timeZone: string) {
    const clock = clockOf(timeZone);
    for (const { event, customer_id, timestamp, properties } of events) {
      const units = event === metric.event ? unitsOf(properties, metric) : undefined;
      if (units === undefined) continue;
      const { date, hour } = clock(timestamp);
      const days = this.#days.get(customer_id) ?? new Map<string, Use[]>();
      this.#days.set(customer_id, days);
      const uses = days.get(date) ?? [];
      days.set(date, uses);
      uses.push({ at: timestamp, date, hour, units, properties });
    }
    this.customers = [...this.#days.keys()].toSorted(byText);
  }

  /** What a customer used on some dates. */
  of(customer: string, dates: readonly string[]): readonly Use[] {
    return dates.flatMap((date) => this.#days.get(customer)?.get(date) ?? []);
  }

  /** What a customer used since an instant, that included. */
  since(customer: string, at: number): readonly Use[] {
    return [...(this.#days.get(customer)?.values() ?? [])].flat().filter((use) => use.at >= at);
  }
}

/** A decimal that counts: a point is moved to the right as one would on paper. `undefined`: the event is rejected. */
function unitsOf(
  properties: OracleEvent["properties"],
  { property, decimals }: Pick<OracleMetric, "property" | "decimals">,
): bigint | undefined {
  const written = property === null ? "1" : String(properties[property]);
  const match = /^(-?)(\d+)(?:\.(\d*?)0*)?$/.exec(written);
  const [, sign, whole = "", fraction = ""] = match ?? [];
  if (match === null || fraction.length > decimals) return undefined;
  return BigInt(`${sign === "-" ? "-" : ""}${whole}${fraction.padEnd(decimals, "0")}`);
}

export function sumOf(uses: readonly Use[]): bigint {
  return uses.reduce((sum, { units }) => sum + units, 0n);
}

/** The latest instant of some uses. */
export function lastOf(uses: readonly Use[]): number {
  return uses.reduce((last, { at }) => Math.max(last, at), -Infinity);
}

/** Smallest units as a decimal without needless zeros. */
export function decimalText(units: bigint, decimals: number): string {
  if (units < 0n) return `-${decimalText(-units, decimals)}`;
  const digits = units.toString().padStart(decimals + 1, "0");
  const point = digits.length - decimals;
  return `${digits.slice(0, point)}.${digits.slice(point)}`.replace(/\.?0*$/, "");
}

/** Four places of a quotient, halves away from zero. */
export function quotientText(part: bigint, whole: bigint): string {
  if (whole < 0n) return quotientText(-part, -whole);
  const tenThousandths = (sizeOf(part) * 20_000n + whole) / (2n * whole);
  return decimalText(part < 0n ? -tenThousandths : tenThousandths, 4);
}

export function sizeOf(value: bigint): bigint {
  return value < 0n ? -value : value;
}

/** RFC 3339 in UTC, whole seconds without a fraction. */
export function instantText(at: number): string {
  return new Date(at).toISOString().replace(/\.000Z$/, "Z");
}

export function byText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Orders by a quantity, the largest first. */
export function bySize(a: bigint, b: bigint): number {
  return a > b ? -1 : a < b ? 1 : 0;
}
