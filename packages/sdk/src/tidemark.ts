import { Api, type Fetch } from "./api.ts";
import { atLeast } from "./at-least.ts";
import { type CheckInput, type ConsumeInput, type Consumption, type DecideOptions, Decisions } from "./decisions.ts";
import type { Decision, UnavailablePolicy } from "./decision.ts";
import { type BatchOptions, EventSpool } from "./event-spool.ts";
import { type Fault, logFaults, type OnError, safely } from "./fault.ts";
import { Lease, type LeaseOptions } from "./lease.ts";
import type { Reservation, ReservationInput } from "./reservation.ts";
import type { TrackInput } from "./usage-event.ts";

/** Keeps a Worker alive until some work is done, beyond its response. */
export type WaitUntil = (work: Promise<unknown>) => void;

export interface TidemarkOptions {
  /** Where Tidemark's ingest runs, such as `https://tidemark.example.com`. */
  readonly url: string;
  /** An API key with the scope `ingest`. */
  readonly key: string;
  /** The global `fetch` unless told; a service binding's, for one. */
  readonly fetch?: Fetch | undefined;
  /** How long a decision may take with all its attempts, and a delivery: 3,000 unless told. */
  readonly timeoutMs?: number | undefined;
  readonly batch?: BatchOptions | undefined;
  /** Events, and decisions made without Tidemark, that wait in memory at most: 100,000 of each unless told. */
  readonly spoolMax?: number | undefined;
  /** Hears of what nobody waits for: events that were dropped or refused, deliveries that failed. */
  readonly onError?: OnError | undefined;
  /** In Workers: `waitUntil` of `cloudflare:workers`. */
  readonly waitUntil?: WaitUntil | undefined;
  /** What holds when Tidemark cannot be reached: `closed`, which denies, unless told. */
  readonly unavailable?: UnavailablePolicy | undefined;
}

export interface FlushOptions {
  /** How long to wait: 10,000 unless told. */
  readonly timeoutMs?: number | undefined;
}

export interface FlushResult {
  /** What is still to be delivered: 0 when everything has arrived. */
  readonly spooled: number;
}

const FLUSH_MS = 10_000;

/**
 * A client of Tidemark. One for each process is enough; making it does nothing yet.
 *
 * @example
 * const client = new Tidemark({ url: "https://tidemark.example.com", key: process.env.TIDEMARK_KEY });
 * client.track({ event: "api_request", customer_id: "acme", properties: { endpoint: "/v1/chat" } });
 * const { allowed } = await client.consume({ customer_id: "acme", metric: "tokens", amount: 250 });
 * await client.close();
 */
export class Tidemark implements AsyncDisposable {
  readonly #api: Api;
  readonly #timeoutMs: number;
  readonly #onError: OnError;
  readonly #waitUntil: WaitUntil;
  readonly #events: EventSpool;
  readonly #decisions: Decisions;
  /** The leases to hand out again, by customer and metric. */
  readonly #leases = new Map<string, Lease>();
  /** All that hold units. One may have rested while another took its place. */
  readonly #awake = new Set<Lease>();

  /** @throws RangeError when a number among the options is too small to work with. */
  constructor(options: TidemarkOptions) {
    const { batch = {}, unavailable = "closed" } = options;
    const timeoutMs = atLeast(1, "timeoutMs", options.timeoutMs ?? 3_000);
    const spoolMax = atLeast(0, "spoolMax", options.spoolMax ?? 100_000);
    this.#api = new Api(options);
    this.#timeoutMs = timeoutMs;
    this.#onError = safely(options.onError ?? logFaults());
    this.#waitUntil = (work) => this.#keepAlive(work, options.waitUntil);
    const shared = { api: this.#api, timeoutMs, spoolMax, onError: this.#onError, waitUntil: this.#waitUntil };
    this.#events = new EventSpool({ ...shared, batch });
    this.#decisions = new Decisions({ ...shared, unavailable });
  }

  /**
   * Takes an event, to be sent in the background with others, until Tidemark has it; it is counted once.
   * Returns at once and never throws: what cannot be delivered is told to `onError`.
   *
   * @param options `waitUntil` of this request, in Workers: the event is sent soon, and outlives the response.
   * @returns the event's id.
   */
  track(input: TrackInput, options: { readonly waitUntil?: WaitUntil | undefined } = {}): string {
    const id = this.#events.track(input, this.#decisions.untilCounted(input.id));
    if (options.waitUntil !== undefined) this.#keepAlive(this.flush(), options.waitUntil);
    return id;
  }

  /**
   * Whether usage would be allowed now. It changes nothing, so another request may be faster.
   *
   * @throws TidemarkError when Tidemark refuses the request, because of its key or its content.
   */
  check(input: CheckInput, options: DecideOptions = {}): Promise<Decision> {
    return this.#decisions.check(input, options);
  }

  /**
   * Counts usage if the limit allows it. When Tidemark cannot be reached, `unavailable` decides within the
   * timeout: `closed` denies; `open` admits, and the usage is counted, once, when Tidemark is back.
   *
   * @throws TidemarkError when Tidemark refuses the request, because of its key or its content.
   *
   * @example
   * const decision = await client.consume({ customer_id: "acme", metric: "api_request" });
   * if (!decision.allowed) return new Response(decision.reason, { status: 429 });
   */
  consume(input: ConsumeInput, options: DecideOptions = {}): Promise<Consumption> {
    return this.#decisions.consume(input, options);
  }

  /**
   * Holds units until it is known how many are used. When Tidemark cannot be reached, `unavailable` decides
   * as for `consume`; what is then committed is counted when Tidemark is back.
   *
   * @throws TidemarkError when Tidemark refuses the request, because of its key or its content.
   */
  reserve(input: ReservationInput, options: DecideOptions = {}): Promise<Reservation> {
    return this.#decisions.reserve(input, options);
  }

  /**
   * Holds units of a metric for this process, to decide locally. There is one lease for each customer and
   * metric, the same whenever it is asked for, until it is closed or has not been used for a while.
   *
   * @throws RangeError when `want` is not a whole number above zero.
   */
  lease(customerId: string, metric: string, options: LeaseOptions = {}): Lease {
    const key = JSON.stringify([customerId, metric]);
    const open = this.#leases.get(key);
    if (open !== undefined) return open;
    return new Lease({
      customerId,
      metric,
      options,
      api: this.#api,
      timeoutMs: this.#timeoutMs,
      onError: this.#onError,
      waitUntil: this.#waitUntil,
      onWake: (lease) => {
        this.#awake.add(lease);
        if (!this.#leases.has(key)) this.#leases.set(key, lease);
      },
      onRest: (lease) => {
        this.#awake.delete(lease);
        if (this.#leases.get(key) === lease) this.#leases.delete(key);
      },
    });
  }

  /** Delivers now what waits. The result tells what has not arrived in time; it goes on being tried. */
  async flush({ timeoutMs = FLUSH_MS }: FlushOptions = {}): Promise<FlushResult> {
    const [events, decisions] = await Promise.all([this.#events.flush(timeoutMs), this.#decisions.flush(timeoutMs)]);
    return { spooled: events + decisions };
  }

  /** Gives back all leases and delivers what waits, for the end of the process. Events tracked later are dropped. */
  async close({ timeoutMs = FLUSH_MS }: FlushOptions = {}): Promise<FlushResult> {
    const leases = [...this.#awake].map((lease) => lease.close(timeoutMs));
    const [events, decisions] = await Promise.all([
      this.#events.close(timeoutMs),
      this.#decisions.close(timeoutMs),
      ...leases,
    ]);
    return { spooled: events + decisions };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** What is decided when Tidemark cannot be asked; for the middleware. */
  decideAlone(metric: string, options: DecideOptions = {}): Decision {
    return this.#decisions.decideAlone(metric, options);
  }

  /** Tells `onError` of a fault; for the middleware. */
  report(fault: Fault): void {
    this.#onError(fault);
  }

  /** Outside of a request, `waitUntil` throws; the work goes on all the same. */
  #keepAlive(work: Promise<unknown>, waitUntil: WaitUntil | undefined): void {
    try {
      waitUntil?.(work);
    } catch (error) {
      this.#onError({ kind: "callback", error });
    }
  }
}
