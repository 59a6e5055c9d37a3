import { backoffMs } from "./backoff.ts";
import { waitAside, within } from "./timer.ts";

/** Something to be delivered. */
export interface Parcel {
  /** Its size in a body. */
  readonly bytes: number;
}

/** Keeps something back until `release` is called, once. */
export type Hold = (release: () => void) => void;

export interface ParcelOptions {
  readonly onSettled?: (() => void) | undefined;
  readonly hold?: Hold | undefined;
}

/** What became of a batch. */
export interface Delivery<P> {
  /** What has to be tried again. */
  readonly left: readonly P[];
  /** After how long, where somebody says so. */
  readonly waitMs: number | null;
  /** Whether the batch was refused as a whole, and smaller ones may tell which parcel is to blame. */
  readonly split?: boolean;
}

export interface CourierOptions<P> {
  /** Parcels that may wait at once. */
  readonly parcelsMax: number;
  /** Parcels and bytes of one batch; a parcel that is larger goes alone. */
  readonly countMax: number;
  readonly bytesMax: number;
  /** How long a parcel may wait for others to share its batch. */
  readonly intervalMs: number;
  /** How long a delivery can take; one that takes longer has been lost with its runtime. */
  readonly deliveryMsMax: number;
  /** Never throws. Delivering the same parcel twice must do no harm. */
  readonly deliver: (batch: readonly P[]) => Promise<Delivery<P>>;
  /** Is told of every wait and delivery that should outlive the current request. */
  readonly waitUntil: (work: Promise<unknown>) => void;
}

/** Waits between deliveries that fail, for as long as they fail. */
const PAUSE = { baseMs: 250, maxMs: 60_000 };
/** A timer that is this late has ended with the request that it belonged to, as timers do in Workers. */
const TIMER_LATE_MS = 1_000;

/**
 * Delivers parcels in the background, in batches, one delivery at a time, each parcel until it is settled.
 *
 * It survives that its runtime ends a request and with it what was in flight: nothing leaves the queue
 * before it is settled, and what has waited for too long is taken up by whoever calls next.
 */
export class Courier<P extends Parcel> {
  readonly #options: CourierOptions<P>;
  #queue: Waiting<P>[] = [];
  #held = 0;
  #bytes = 0;
  #lastNumber = 0;
  #watches: Watch[] = [];

  /** Counts deliveries, so that one that was given up is not listened to when it comes back. */
  #turn = 0;
  #busyUntil = 0;
  #timerAt = Infinity;
  /** After a failure: when to try again, and how many there were in a row. */
  #notBefore = 0;
  #failures = 0;
  /** Parcels of the next batch: fewer for a while after one had to be split. */
  #countMax: number;

  constructor(options: CourierOptions<P>) {
    this.#options = options;
    this.#countMax = options.countMax;
  }

  /** Parcels that have not been settled. */
  get pending(): number {
    return this.#queue.length + this.#held;
  }

  /**
   * Takes a parcel.
   *
   * A callback, not a promise, tells that it is settled: in Workers, what waits for a promise of another
   * request is gone when that request is.
   *
   * @param hold keeps the parcel back until it calls the function that it is given.
   * @returns whether there was room for it.
   */
  add(parcel: P, { onSettled, hold }: ParcelOptions = {}): boolean {
    if (this.pending >= this.#options.parcelsMax) return false;
    const waiting = { parcel, number: ++this.#lastNumber, onSettled };
    if (hold === undefined) {
      this.#enqueue(waiting);
      return true;
    }
    this.#held += 1;
    hold(() => {
      this.#held -= 1;
      this.#enqueue(waiting);
    });
    return true;
  }

  /**
   * Delivers at once what waits now, unless a failure demands a pause.
   *
   * @param hurry tries in spite of a pause: for the last attempt before the end.
   * @returns how many of them are not settled after `timeoutMs`.
   */
  async flush(timeoutMs: number, hurry = false): Promise<number> {
    if (this.pending === 0) return 0;
    if (hurry) this.#notBefore = 0;
    const watch: Watch = { upTo: this.#lastNumber, remaining: this.pending, settle: noop };
    const settled = new Promise<void>((settle) => {
      watch.settle = settle;
    });
    this.#watches.push(watch);
    const deadline = performance.now() + timeoutMs;
    for (let now = performance.now(); watch.remaining > 0 && now < deadline; now = performance.now()) {
      this.#wake();
      await within(settled, Math.min(deadline - now, this.#patienceMs(now)));
    }
    this.#watches = this.#watches.filter((other) => other !== watch);
    return watch.remaining;
  }

  /** When to look again: the delivery, or the timer, that would go on may belong to a request that has ended. */
  #patienceMs(now: number): number {
    const at = Math.max(this.#busyUntil, this.#notBefore);
    return at > now ? at - now + 1 : TIMER_LATE_MS;
  }

  #enqueue(waiting: Waiting<P>): void {
    this.#queue.push(waiting);
    this.#bytes += waiting.parcel.bytes;
    this.#wake();
  }

  /** Delivers when it is time, or sees to it that somebody wakes up then. */
  #wake(): void {
    if (this.#queue.length === 0) return;
    const now = performance.now();
    if (now < this.#busyUntil) return;
    const waitMs = Math.max(this.#isUrgent() ? 0 : this.#options.intervalMs, this.#notBefore - now);
    if (waitMs <= 0) this.#options.waitUntil(this.#deliver());
    else this.#setTimer(now, now + waitMs);
  }

  #isUrgent(): boolean {
    const { countMax, bytesMax } = this.#options;
    return this.#queue.length >= countMax || this.#bytes >= bytesMax || this.#watches.length > 0;
  }

  #setTimer(now: number, at: number): void {
    const isSet = this.#timerAt <= at && now < this.#timerAt + TIMER_LATE_MS;
    if (isSet) return;
    this.#timerAt = at;
    this.#options.waitUntil(
      waitAside(at - now).then(() => {
        if (this.#timerAt === at) this.#timerAt = Infinity;
        return this.#deliverIfDue();
      }),
    );
  }

  #deliverIfDue(): Promise<void> | undefined {
    const now = performance.now();
    if (now >= this.#busyUntil && now >= this.#notBefore && this.#queue.length > 0) return this.#deliver();
    this.#wake();
    return undefined;
  }

  /** Batch after batch while there is reason to hurry. */
  async #deliver(): Promise<void> {
    const turn = ++this.#turn;
    do {
      this.#busyUntil = performance.now() + this.#options.deliveryMsMax;
      const batch = this.#firstBatch();
      const delivery = await this.#options.deliver(batch.map((waiting) => waiting.parcel));
      if (turn !== this.#turn) return;
      this.#settle(batch, delivery);
    } while (this.#queue.length > 0 && this.#isUrgent() && performance.now() >= this.#notBefore);
    this.#busyUntil = 0;
    this.#wake();
  }

  #firstBatch(): readonly Waiting<P>[] {
    const { bytesMax } = this.#options;
    let count = 0;
    let bytes = 0;
    for (const { parcel } of this.#queue) {
      bytes += parcel.bytes;
      if (count === this.#countMax || (bytes > bytesMax && count > 0)) break;
      count += 1;
    }
    return this.#queue.slice(0, count);
  }

  /** What is left goes to the end, so that one that cannot be delivered does not hold up the others. */
  #settle(batch: readonly Waiting<P>[], delivery: Delivery<P>): void {
    const left = new Set(delivery.left);
    const remaining = batch.filter((waiting) => left.has(waiting.parcel));
    this.#queue = [...this.#queue.slice(batch.length), ...remaining];
    this.#pause(batch.length, remaining.length, delivery);
    for (const waiting of batch) {
      if (left.has(waiting.parcel)) continue;
      this.#bytes -= waiting.parcel.bytes;
      this.#tell(waiting);
    }
    this.#watches = this.#watches.filter((watch) => watch.remaining > 0);
  }

  #pause(count: number, left: number, { waitMs, split = false }: Delivery<P>): void {
    this.#countMax = split ? Math.ceil(count / 2) : Math.min(this.#options.countMax, this.#countMax * 2);
    if (left === 0 || split) {
      this.#failures = 0;
      this.#notBefore = 0;
      return;
    }
    this.#failures = left === count ? this.#failures + 1 : 1;
    this.#notBefore = performance.now() + (waitMs ?? backoffMs(PAUSE, this.#failures, Math.random()));
  }

  #tell({ number, onSettled }: Waiting<P>): void {
    onSettled?.();
    for (const watch of this.#watches) {
      if (number > watch.upTo) continue;
      watch.remaining -= 1;
      if (watch.remaining === 0) watch.settle();
    }
  }
}

interface Waiting<P> {
  readonly parcel: P;
  /** In the order of arrival. */
  readonly number: number;
  readonly onSettled: (() => void) | undefined;
}

/** Somebody who waits until everything up to a number is settled. */
interface Watch {
  readonly upTo: number;
  remaining: number;
  settle: () => void;
}

function noop(): void {}
