import type { MetricInput } from "@tidemark/contract/metric-schema";

/** What a stream of reference events is drawn from. */
export interface WorkloadOptions {
  /** The same seed gives the same events. */
  readonly seed: number;
  /** Customers `c00000`, `c00001`, …, of which the k-th is drawn in proportion to 1 / k^1.05. */
  readonly customers: number;
  /** Tells streams apart: events of two rounds never share an id. */
  readonly round?: number;
}

/** What a customer's events come to, each counted once. */
export interface CustomerTotals {
  events: number;
  units: number;
  /** In cents. */
  fees: number;
  /** Units by zone, in the order of `ZONES`. */
  readonly zones: [number, number, number, number];
}

/** Characters of an id that hold its round, and where they begin in an event's text. */
export const ROUND_DIGITS = 8;
export const ROUND_AT = '{"id":"'.length;
export const ZONES = ["eu", "us", "ap", "sa"] as const;

const ZIPF_EXPONENT = 1.05;
/** One event in so many is sent a second time, word for word. */
const DUPLICATE_SHARE = 1 / 100;
/** How far back a repeated event lies, at most. */
const DUPLICATE_REACH = 10_000;
const DAY_MS = 86_400_000;

/**
 * The reference workload: an endless, seeded stream of events of 136 bytes each, such as
 *
 * ```json
 * {"id":"0000000000000001","event":"call","customer_id":"c00042","timestamp":1795176000,"properties":{"zone":"eu","units":123,"fee":0.25}}
 * ```
 *
 * The id is the round and the event's position, eight hexadecimal digits each. Times lie on the UTC day
 * before today, so that no run crosses into a day that it did not begin on. One event in a hundred
 * repeats an earlier one. Every metric of `WORKLOAD_METRICS` counts every event, which is the most work
 * that five metrics can make.
 */
export class Workload {
  /** What the events so far come to, by customer, repeated ones counted once. */
  readonly totals = new Map<string, CustomerTotals>();
  /** Events so far, and how many of them were repeated ones. */
  sent = 0;
  repeated = 0;
  readonly #random: () => number;
  readonly #cumulative: Float64Array;
  readonly #round: string;
  readonly #dayStart: number;
  readonly #recent: string[] = [];
  #made = 0;

  constructor({ seed, customers, round = 0 }: WorkloadOptions, now = Date.now()) {
    this.#random = seeded(seed);
    this.#cumulative = cumulativeZipf(customers);
    this.#round = roundText(round);
    this.#dayStart = (Math.floor(now / DAY_MS) - 1) * DAY_MS;
  }

  /** The next event as JSON. */
  next(): string {
    this.sent++;
    const repeat = this.#recent.length > 0 && this.#random() < DUPLICATE_SHARE;
    if (repeat) {
      this.repeated++;
      return this.#recent[Math.floor(this.#random() * this.#recent.length)] ?? "";
    }
    const text = this.#make(this.#drawCustomer());
    this.#recent[this.#made++ % DUPLICATE_REACH] = text;
    return text;
  }

  /** A JSON array of the next `count` events; a single event when `count` is 1. */
  nextBody(count: number): string {
    if (count === 1) return this.next();
    return `[${Array.from({ length: count }, () => this.next()).join(",")}]`;
  }

  /** Makes `count` events for their totals alone. */
  skip(count: number): void {
    for (let i = 0; i < count; i++) this.next();
  }

  /** One event of each customer, in order: what creates every meter. */
  makeOneOfEach(): readonly string[] {
    return Array.from(this.#cumulative, (_, customer) => {
      this.sent++;
      this.#made++;
      return this.#make(customer);
    });
  }

  #make(customer: number): string {
    const id = this.#round + hexadecimal(this.#made);
    const zone = this.#below(4);
    const units = 100 + this.#below(900);
    // Never a multiple of ten, so that the text has two places and the event its 136 bytes.
    const fee = 10 * this.#below(10) + 1 + this.#below(9);
    const seconds = this.#dayStart / 1000 + this.#below(DAY_MS / 1000);
    const name = customerId(customer);
    this.#count(name, zone, units, fee);
    const properties = `{"zone":"${ZONES[zone] ?? ""}","units":${units},"fee":0.${fee.toString().padStart(2, "0")}}`;
    return `{"id":"${id}","event":"call","customer_id":"${name}","timestamp":${seconds},"properties":${properties}}`;
  }

  #count(name: string, zone: number, units: number, fee: number): void {
    let totals = this.totals.get(name);
    if (totals === undefined) this.totals.set(name, (totals = { events: 0, units: 0, fees: 0, zones: [0, 0, 0, 0] }));
    totals.events++;
    totals.units += units;
    totals.fees += fee;
    totals.zones[zone as 0] += units;
  }

  #below(bound: number): number {
    return Math.floor(this.#random() * bound);
  }

  /** The first customer whose cumulative share reaches a random one. */
  #drawCustomer(): number {
    const share = this.#random();
    let from = 0;
    let to = this.#cumulative.length - 1;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if ((this.#cumulative[middle] ?? 1) < share) from = middle + 1;
      else to = middle;
    }
    return from;
  }
}

const base = {
  description: "",
  type: "charge_metered",
  event_matchers: [{ event: "call" }],
  value_property: null,
  group_by: [],
  allow_negative: false,
  decimal_places: 0,
  default_interval: { count: 30, period: "days" },
  display: { interval_days: 30, format: "numeric", currency: null, style: "number" },
} as const;

type WorkloadMetric = Omit<MetricInput, "slug"> & { readonly id: string; readonly slug: string };

/** Five metrics that each count every event: two counts, two sums (one of them of cents), one sum by zone. */
export const WORKLOAD_METRICS: readonly WorkloadMetric[] = [
  { ...base, id: "m-calls", slug: "calls", name: "Calls", unit: "calls", aggregation: "count" },
  {
    ...base,
    id: "m-attempts",
    slug: "attempts",
    name: "Attempts",
    unit: "calls",
    aggregation: "count",
    event_matchers: [{ event: "call" }, { event: "retry" }],
  },
  { ...base, id: "m-units", slug: "units", name: "Units", unit: "units", aggregation: "sum", value_property: "units" },
  {
    ...base,
    id: "m-fees",
    slug: "fees",
    name: "Fees",
    unit: "EUR",
    aggregation: "sum",
    value_property: "fee",
    decimal_places: 2,
  },
  {
    ...base,
    id: "m-zones",
    slug: "units-by-zone",
    name: "Units by zone",
    unit: "units",
    aggregation: "sum",
    value_property: "units",
    group_by: ["zone"],
  },
].map(
  (metric) =>
    ({ ...metric, event_matchers: [...metric.event_matchers], group_by: [...metric.group_by] }) as WorkloadMetric,
);

/** The customer of this rank. */
export function customerId(rank: number): string {
  return `c${rank.toString().padStart(5, "0")}`;
}

/** A round as ids spell it. */
export function roundText(round: number): string {
  return hexadecimal(round);
}

function hexadecimal(value: number): string {
  return value.toString(16).padStart(ROUND_DIGITS, "0");
}

function cumulativeZipf(count: number): Float64Array {
  const cumulative = new Float64Array(count);
  let sum = 0;
  for (let rank = 0; rank < count; rank++) cumulative[rank] = sum += 1 / (rank + 1) ** ZIPF_EXPONENT;
  for (let rank = 0; rank < count; rank++) cumulative[rank] = (cumulative[rank] ?? 0) / sum;
  return cumulative;
}

/** Numbers in [0, 1) from a seed: mulberry32 (Tommy Ettinger, public domain). */
function seeded(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}
