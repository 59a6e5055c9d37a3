import { clockOf } from "./oracle-calendar.ts";
import {
  bySize,
  byText,
  decimalText,
  instantText,
  type OracleEvent,
  type OracleMetric,
  OracleUsage,
  quotientText,
  sumOf,
  type Use,
} from "./oracle-usage.ts";

/** Everything that reports are made of. */
export interface OracleWorld {
  /** Each id once. */
  readonly events: readonly OracleEvent[];
  readonly metric: OracleMetric;
  readonly time_zone: string;
  readonly now: number;
  /** What people call customers. */
  readonly names: ReadonlyMap<string, string>;
  /** What the metric's cycles give, of one balance each. */
  readonly limits: readonly OracleLimit[];
}

export interface OracleLimit {
  readonly customer_id: string;
  readonly balance_id: string;
  readonly enforcement: "hard" | "soft" | "monitor";
  /** In the metric's smallest unit. */
  readonly allowance: bigint;
  /** The cycle that goes on, in milliseconds. */
  readonly cycle: { readonly start: number; readonly end: number };
}

/** A customer's place in a ranking, and what put it there. */
export interface RankedUses {
  readonly rank: number;
  readonly customer_id: string;
  readonly name: string | null;
  readonly uses: readonly Use[];
}

/** The world as a report looks at it. */
export class OracleView {
  readonly metric: OracleMetric;
  readonly now: number;
  /** The date that is not over. */
  readonly today: string;
  readonly names: ReadonlyMap<string, string>;
  readonly limits: readonly OracleLimit[];
  readonly usage: OracleUsage;
  /** Each customer's first event ever. */
  readonly firstSeen = new Map<string, number>();
  readonly #timeZone: string;

  constructor({ events, metric, time_zone, now, names, limits }: OracleWorld) {
    this.metric = metric;
    this.now = now;
    this.today = clockOf(time_zone)(now).date;
    this.names = names;
    this.limits = limits;
    this.usage = new OracleUsage(events, metric, time_zone);
    this.#timeZone = time_zone;
    for (const { customer_id, timestamp } of events)
      this.firstSeen.set(customer_id, Math.min(timestamp, this.firstSeen.get(customer_id) ?? Infinity));
  }

  /** What every report says of itself. */
  about(days: number, dates: readonly string[]) {
    const { slug, name, unit, aggregation } = this.metric;
    const shown = { days, from: dates.at(0) ?? "", to: dates.at(-1) ?? "", time_zone: this.#timeZone };
    return { metric: slug, name, unit, aggregation, ...shown, as_of: instantText(this.now), approximate: false };
  }

  /** Who used something on some dates: by total, the largest first, equals by their id. */
  ranked(dates: readonly string[], limit: number): readonly RankedUses[] {
    return this.usage.customers
      .map((customer_id) => ({ customer_id, uses: this.usage.of(customer_id, dates) }))
      .filter(({ uses }) => uses.length > 0)
      .toSorted(
        (a, b) => bySize(this.shown(sumOf(a.uses)), this.shown(sumOf(b.uses))) || byText(a.customer_id, b.customer_id),
      )
      .slice(0, limit)
      .map((one, index) => ({ rank: index + 1, name: this.names.get(one.customer_id) ?? null, ...one }));
  }

  /** Below zero only where the metric allows it. */
  shown(units: bigint): bigint {
    return units < 0n && !this.metric.allow_negative ? 0n : units;
  }

  text(units: bigint): string {
    return decimalText(this.shown(units), this.metric.decimals);
  }

  /** Four places of a part of what is shown; `null` where there is nothing to divide. */
  share(part: bigint, whole: bigint): string | null {
    return whole <= 0n ? null : quotientText(this.shown(part), whole);
  }
}
