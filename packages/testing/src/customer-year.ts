import type { OracleEvent } from "./oracle-usage.ts";

const HOUR_MS = 3_600_000;
const DAY_MS = 86_400_000;
/** One event in so many arrives with the next sending, is sent twice, or comes again with other content. */
const LATE_ONE_IN = 30;
const REPEATED_ONE_IN = 40;
const CONFLICTING_ONE_IN = 150;
/** How old an event may be when it is sent; the edge takes 35 days. */
const AGE_MS_MAX = 34 * DAY_MS;

interface YearOptions {
  /** The same seed gives the same year. */
  readonly seed: number;
  readonly customers: number;
  /** 00:00 UTC, in milliseconds. */
  readonly start: number;
  readonly days: number;
}

/**
 * A year of many customers: steady, growing, falling, on weekdays only, in bursts, silent for a while or for good,
 * new in the middle. Events are `call` with an `endpoint`, a `status` and an `amount` with two places, some of them
 * missing or of no use; a few come late, twice, or again with other content.
 */
export class CustomerYear {
  readonly #random: (below: number) => number;
  /** By time. */
  readonly #events: readonly OracleEvent[];
  #next = 0;
  #heldBack: readonly OracleEvent[] = [];
  readonly #known = new Set<string>();

  constructor({ seed, customers, start, days }: YearOptions) {
    this.#random = seeded(seed);
    const events: OracleEvent[] = [];
    for (let customer = 0; customer < customers; customer++)
      for (let day = 0; day < days; day++) events.push(...this.#makeDay(customer, day, start + day * DAY_MS));
    this.#events = events.toSorted((a, b) => a.timestamp - b.timestamp);
  }

  /** What is sent since the last time, in the order in which it is sent: the first one with an id counts. */
  until(instant: number, nextAt: number): readonly OracleEvent[] {
    const end = this.#events.findIndex(({ timestamp }) => timestamp >= instant);
    const happened = this.#events.slice(this.#next, end === -1 ? undefined : end);
    this.#next += happened.length;
    const late = new Set(
      happened.filter(
        // A customer's very first events are never late: they say since when there is one.
        ({ customer_id, timestamp }) =>
          this.#known.has(customer_id) && nextAt - timestamp < AGE_MS_MAX && this.#random(LATE_ONE_IN) === 0,
      ),
    );
    const sent = [...this.#heldBack, ...happened.filter((event) => !late.has(event))];
    this.#heldBack = [...late];
    for (const { customer_id } of sent) this.#known.add(customer_id);
    const again = sent.filter(() => this.#random(REPEATED_ONE_IN) === 0);
    const conflicting = sent
      .filter(() => this.#random(CONFLICTING_ONE_IN) === 0)
      .map((event) => ({ ...event, properties: { ...event.properties, endpoint: "/other", amount: "999.99" } }));
    return [...sent, ...again, ...conflicting];
  }

  #makeDay(customer: number, day: number, start: number): readonly OracleEvent[] {
    const kind = KINDS[customer % KINDS.length] ?? KINDS[0];
    const weekday = new Date(start).getUTCDay();
    const count = kind({ customer, day, weekday, below: this.#random });
    return Array.from({ length: count }, (_, index) => ({
      id: `${day}-${index}`,
      event: "call",
      customer_id: nameOf(customer),
      timestamp: start + this.#hourOf(customer) * HOUR_MS + this.#random(HOUR_MS),
      properties: this.#describe(customer),
    }));
  }

  /** All day, in office hours, or in three hours of the night, around which it is midnight elsewhere. */
  #hourOf(customer: number): number {
    const spread = [24, 9, 3][customer % 3] ?? 24;
    const first = [0, 13, 3][customer % 3] ?? 0;
    return first + this.#random(spread);
  }

  #describe(customer: number): OracleEvent["properties"] {
    const one = this.#random(100);
    const endpoint = `/v1/${this.#random(3 + (customer % 13))}`;
    const status = STATUSES[this.#random(STATUSES.length)];
    const amount = this.#amount(customer);
    return {
      ...(one < 2 ? {} : { endpoint }),
      ...(status === undefined ? {} : { status }),
      ...(amount === undefined ? {} : { amount }),
    };
  }

  #amount(customer: number): string | number | undefined {
    const one = this.#random(100);
    if (one < 6) return [undefined, "n/a", "0.001"][one % 3];
    if (one < 10) return 0;
    const cents = this.#random(100).toString().padStart(2, "0");
    const text = `${this.#random(50)}.${cents}`;
    if (isRefunding(customer) && one < 55) return `-${text}`;
    return one < 75 ? text : Number(text);
  }
}

/** Customers of whom some have more given back than used. */
export function isRefunding(customer: number): boolean {
  return customer % KINDS.length >= 9;
}

/** The customer of this number. */
export function nameOf(customer: number): string {
  return `customer-${customer.toString().padStart(3, "0")}`;
}

interface Day {
  readonly customer: number;
  /** 0 is the first of the year. */
  readonly day: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  readonly below: (bound: number) => number;
}

/** How many events a kind of customer has on a day. */
const KINDS: readonly [(day: Day) => number, ...((day: Day) => number)[]] = [
  // Steady.
  () => 1,
  ({ below }) => below(2) + (below(3) === 0 ? 1 : 0),
  // Growing, and falling.
  ({ day, below }) => below(1 + Math.ceil(day / 100)),
  ({ day, below }) => below(1 + Math.ceil((365 - day) / 100)),
  // By the week.
  ({ weekday }) => (weekday === 1 ? 3 : 0),
  ({ weekday }) => (weekday === 0 || weekday === 6 ? 0 : 1),
  // In bursts.
  ({ below }) => (below(25) === 0 ? 12 : 0),
  // Silent from some day on, and new on some day.
  ({ customer, day, below }) => (day < (customer * 7) % 365 ? below(2) : 0),
  ({ customer, day, below }) => (day >= (customer * 11) % 365 ? below(3) : 0),
  // Now and then.
  ({ below }) => (below(12) === 0 ? 1 : 0),
  // Every day, and then not for a week.
  ({ customer, day }) => ((day + customer) % 40 < 33 ? 1 : 0),
  // Months of use, months of silence.
  ({ customer, day, below }) => (Math.floor((day + customer) / 45) % 2 === 0 ? below(3) : 0),
];

const STATUSES = [200, 200, 200, 201, 301, 404, 429, 500, 503, "200", "404", "timeout", 4040, undefined];

/** Whole numbers below a bound, from a seed: mulberry32 (Tommy Ettinger, public domain). */
function seeded(seed: number): (below: number) => number {
  let state = seed | 0;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (((mixed ^ (mixed >>> 14)) >>> 0) % below) | 0;
  };
}
