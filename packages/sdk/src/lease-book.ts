import { backoffMs, type Backoff, ceilingMs } from "./backoff.ts";
import { LeasePace } from "./lease-pace.ts";

/** What a holder asks of the meter. The same request is sent again, unchanged, until it has an answer. */
export type LeaseRequest =
  | { readonly kind: "grant"; readonly id: string; readonly want: number }
  /** `used` since the last report; `want` to hold from then on, or `null` to give back the rest and end. */
  | {
      readonly kind: "report";
      readonly id: string;
      readonly sequence: number;
      readonly used: number;
      readonly want: number | null;
    };

/** The meter's answer, to a grant and to a report alike. */
export interface LeaseAnswer {
  readonly id: string;
  /** Units held now: after a report, what was left of the earlier ones and what is new. */
  readonly granted: number;
  readonly sequence: number;
  /** Milliseconds that the lease had left when the meter answered. */
  readonly ttlMs: number;
  /** Units that nobody has used or holds; `Infinity` without a limit. */
  readonly remaining: number;
}

/** What to do now. */
export type LeaseAction =
  /** Send this. It is handed out once and counts as sent. */
  | { readonly kind: "send"; readonly request: LeaseRequest }
  /** Ask again at this time. */
  | { readonly kind: "wait"; readonly until: number }
  /** There is nothing to do before the next `take`. */
  | { readonly kind: "idle" }
  /** Everything is reported. */
  | { readonly kind: "done" };

export interface LeaseBookOptions {
  /** Units of the first grant. */
  readonly want: number;
  /** How long a request can take, in milliseconds; one that takes longer is lost. */
  readonly requestMsMax: number;
  /** Makes the id of a lease. */
  readonly newId: () => string;
  /** At least 0 and below 1. */
  readonly random: () => number;
}

/** Waits after requests that were lost. */
const LOST: Backoff = { baseMs: 250, maxMs: 30_000 };
/** Waits after grants that brought nothing. */
const EMPTY: Backoff = { baseMs: 1_000, maxMs: 30_000 };
/** Renewals in advance are at least this far apart, however short the leases become towards a cycle's end. */
const RENEWAL_MS_MIN = 1_000;

/**
 * The rules of one holder's lease, without clock, timers, randomness or network: every method takes the
 * time, in milliseconds of a clock that never goes back, and `next` says what to do.
 *
 * Units are debited at the meter when they are granted, and a lease ends here no later than there: it is
 * counted from when its request was first sent. So whatever is lost, delayed or repeated, and whoever
 * vanishes, holders together never admit more than the limit. A lease of which nothing is used is given back
 * when it would have to be renewed, so that idle holders do not lock up a limit.
 */
export class LeaseBook {
  readonly #options: LeaseBookOptions;
  readonly #pace: LeasePace;

  /** Units that may still be admitted, until `#expiresAt`. */
  #left = 0;
  #expiresAt = -Infinity;
  /** Below this it is time to ask for more; -1 while there is no use in it. */
  #low = -1;
  /** Units admitted and not yet in any report. */
  #used = 0;

  #lease: LeaseId | null = null;
  #renewAt = Infinity;
  #pending: Pending | null = null;
  #notBefore = -Infinity;
  #lost = 0;
  #empty = 0;
  #refills = 0;
  /** Whether somebody wants units: at first, and whenever a `take` has failed. */
  #isWanted = true;
  #isClosing = false;

  constructor(options: LeaseBookOptions) {
    this.#options = options;
    this.#pace = new LeasePace(options.want);
  }

  /** Admits `n` units if that many are held and the lease has not expired. */
  take(n: number, now: number): boolean {
    if (n > this.#left || now >= this.#expiresAt) {
      this.#isWanted = true;
      this.#pace.missed(n);
      return false;
    }
    this.#left -= n;
    this.#used += n;
    return true;
  }

  /** Whether so little is left that `next` may have something to do. */
  get isLow(): boolean {
    return this.#left <= this.#low;
  }

  /** Whether a request is under way. */
  get isAsking(): boolean {
    return this.#pending !== null && this.#pending.isInFlight;
  }

  /** How many answers have come to what asked for units. */
  get refills(): number {
    return this.#refills;
  }

  /** What to do at this time. */
  next(now: number): LeaseAction {
    const pending = this.#pending;
    if (pending !== null) return this.#nextOfPending(pending, now);
    const lease = this.#lease;
    if (this.#isClosing) return lease === null ? { kind: "done" } : this.#end(lease, now);
    if (lease === null) return this.#nextWithoutLease(now);
    if (now >= this.#expiresAt) return this.#end(lease, now);
    const isWanted = this.#isWanted || this.isLow;
    const isDue = isWanted || now >= this.#renewAt;
    if (!isDue || now < this.#notBefore)
      return { kind: "wait", until: this.#isWanted ? this.#notBefore : Math.max(this.#renewAt, this.#notBefore) };
    // What nobody has used for most of a lifetime is of more use to others.
    return isWanted || this.#used > 0 ? this.#renew(lease, now) : this.#end(lease, now);
  }

  /** The answer to a request has come. One to a request that was settled meanwhile changes nothing. */
  answered(request: LeaseRequest, answer: LeaseAnswer, now: number): void {
    const pending = this.#pending;
    if (pending?.request !== request) return;
    this.#pending = null;
    this.#lost = 0;
    this.#pace.answered(now - pending.sentAt, answer.remaining);
    if (request.kind === "report" && request.want === null) {
      this.#forget();
      // One that lay idle until its end is not replaced before somebody wants units.
      this.#isWanted ||= pending.isWanted || request.used > 0;
      return;
    }
    this.#refills += 1;
    const isNone = answer.granted === 0 && answer.ttlMs === 0 && this.#used === 0;
    if (isNone) {
      this.#forget();
      this.#pauseEmpty(now);
      return;
    }
    this.#lease = { id: answer.id, sequence: answer.sequence };
    // What was admitted while the request was under way comes out of what is held now.
    this.#left = this.#isClosing ? 0 : Math.max(0, answer.granted - this.#used);
    this.#expiresAt = pending.firstSentAt + answer.ttlMs;
    this.#settleWait(pending, answer, now);
  }

  /** No answer came. Whether the request arrived is not known, so the same is sent again. */
  lost(request: LeaseRequest, now: number): void {
    if (this.#pending?.request !== request || !this.#pending.isInFlight) return;
    this.#pending = { ...this.#pending, isInFlight: false };
    this.#lost += 1;
    this.#notBefore = now + backoffMs(LOST, this.#lost, this.#options.random());
  }

  /**
   * The meter does not know the lease, or does not grant one.
   *
   * @returns units that were admitted and can no longer be reported; the meter counts the whole lease as used.
   */
  refused(request: LeaseRequest, now: number): number {
    const pending = this.#pending;
    if (pending?.request !== request) return 0;
    const unreported = this.#used + (request.kind === "report" ? request.used : 0);
    this.#pending = null;
    this.#used = 0;
    this.#forget();
    this.#pauseEmpty(now);
    this.#isWanted = false;
    return unreported;
  }

  /** Nothing more is admitted; `next` reports what was used and gives back the rest. */
  close(): void {
    this.#isClosing = true;
    this.#left = 0;
    this.#low = -1;
    this.#notBefore = -Infinity;
  }

  /** A pause is kept to the end even if nobody wants units: whoever does so soon would be told the same. */
  #nextWithoutLease(now: number): LeaseAction {
    if (now < this.#notBefore) return { kind: "wait", until: this.#notBefore };
    if (!this.#isWanted) return { kind: "idle" };
    return this.#send({ kind: "grant", id: this.#options.newId(), want: this.#pace.ask(null, 0, now) }, now);
  }

  #nextOfPending(pending: Pending, now: number): LeaseAction {
    if (pending.isInFlight) {
      const lostAt = pending.sentAt + this.#options.requestMsMax;
      if (now < lostAt) return { kind: "wait", until: lostAt };
      this.lost(pending.request, now);
    }
    if (now < this.#notBefore) return { kind: "wait", until: this.#notBefore };
    this.#pending = { ...pending, sentAt: now, isInFlight: true };
    return { kind: "send", request: pending.request };
  }

  #renew(lease: LeaseId, now: number): LeaseAction {
    const hadUnits = this.#used + this.#left > 0;
    const want = this.#pace.ask(hadUnits ? this.#used : null, this.#left, now);
    return this.#send({ kind: "report", ...lease, used: this.#used, want }, now);
  }

  #end(lease: LeaseId, now: number): LeaseAction {
    const action = this.#send({ kind: "report", ...lease, used: this.#used, want: null }, now);
    // It may have been alive still, and what goes back must not be admitted.
    this.#left = 0;
    return action;
  }

  #send(request: LeaseRequest, now: number): LeaseAction {
    const isWanted = this.#isWanted || this.isLow;
    this.#pending = { request, firstSentAt: now, sentAt: now, leftThen: this.#left, isWanted, isInFlight: true };
    this.#used = 0;
    this.#isWanted = false;
    this.#low = -1;
    return { kind: "send", request };
  }

  /** Decides when to ask next. */
  #settleWait(pending: Pending, answer: LeaseAnswer, now: number): void {
    const isFruitless = now >= this.#expiresAt || (pending.isWanted && answer.granted <= pending.leftThen);
    if (isFruitless) {
      this.#pauseEmpty(now);
    } else {
      this.#empty = 0;
      this.#notBefore = -Infinity;
      this.#isWanted = this.#pace.isShort(this.#left);
      this.#low = this.#isClosing ? -1 : this.#pace.lowWater(this.#left);
    }
    const ttlMs = this.#expiresAt - now;
    this.#renewAt = Math.max(now + RENEWAL_MS_MIN, this.#expiresAt - Math.max(ttlMs / 4, this.#pace.renewalMs));
  }

  /** Half of the wait is jitter: it is not for a failure, so coming back at once would only cost a call. */
  #pauseEmpty(now: number): void {
    this.#empty += 1;
    this.#notBefore = now + (ceilingMs(EMPTY, this.#empty) * (1 + this.#options.random())) / 2;
  }

  #forget(): void {
    this.#lease = null;
    this.#left = 0;
    this.#low = -1;
    this.#expiresAt = -Infinity;
  }
}

interface LeaseId {
  readonly id: string;
  readonly sequence: number;
}

interface Pending {
  readonly request: LeaseRequest;
  readonly firstSentAt: number;
  readonly sentAt: number;
  /** Units that were held when it was first sent. */
  readonly leftThen: number;
  /** Whether it was sent because more is wanted, and not only to keep what is held. */
  readonly isWanted: boolean;
  readonly isInFlight: boolean;
}
