import type { Answer, Api } from "./api.ts";
import type { OnError } from "./fault.ts";
import { LeaseBook, type LeaseRequest } from "./lease-book.ts";
import { TidemarkError } from "./tidemark-error.ts";
import { waitAside, within } from "./timer.ts";
import { type LeaseReason, type ReasonedLeaseAnswer, toLeaseAnswer } from "./to-lease-answer.ts";

export interface LeaseOptions {
  /** Units of the first grant, 100 unless told; later ones follow the use. */
  readonly want?: number | undefined;
  /** How long a grant is held at most; the server's own unless told. It is renewed in time. */
  readonly ttlSeconds?: number | undefined;
  /** Who holds it, for people to read; random unless told. */
  readonly holder?: string | undefined;
}

export interface LeaseContext {
  readonly customerId: string;
  readonly metric: string;
  readonly options: LeaseOptions;
  readonly api: Api;
  readonly timeoutMs: number;
  readonly onError: OnError;
  readonly waitUntil: (work: Promise<unknown>) => void;
  /** It holds units, or asks for some. */
  readonly onWake: (lease: Lease) => void;
  /** It holds nothing, until somebody takes from it again or, once closed, for good. */
  readonly onRest: (lease: Lease) => void;
}

/**
 * Units held by this process, so that it decides by itself, without a network hop. All holders together
 * never admit more than the limit. A lease is always closed: when Tidemark is away it admits what it
 * holds and no more. One that is not used for a while gives everything back, and asks again when it is.
 *
 * @example
 * const lease = client.lease("acme", "api_request");
 * if (!(await lease.admit())) return new Response("The limit is reached.", { status: 429 });
 */
export class Lease implements AsyncDisposable {
  readonly #context: LeaseContext;
  readonly #book: LeaseBook;
  #holder: string | undefined;
  #timerAt = Infinity;
  #failure: TidemarkError | null = null;
  #reason: LeaseReason | null = null;
  #isAwake = false;
  #isClosed = false;
  #listeners: (() => void)[] = [];

  constructor(context: LeaseContext) {
    this.#context = context;
    this.#holder = context.options.holder;
    this.#book = new LeaseBook({
      want: wholeUnits(context.options.want ?? 100),
      // A lost request is noticed by its timeout; twice that is for a runtime that ended with it.
      requestMsMax: 2 * context.timeoutMs,
      newId: () => crypto.randomUUID(),
      random: () => Math.random(),
    });
    this.#pump();
  }

  /** Why the last request for units brought none: `null` when it did bring some, or has not been answered. */
  get reason(): LeaseReason | null {
    return this.#reason;
  }

  /**
   * Admits `n` units, at once and without the network: `false` when fewer are held, as before the first
   * grant and after an idle time. More are fetched in the background before they run out.
   *
   * @throws RangeError when `n` is not a whole number above zero.
   */
  take(n = 1): boolean {
    const isTaken = this.#book.take(wholeUnits(n), performance.now());
    if (!isTaken || this.#book.isLow) this.#pump();
    return isTaken;
  }

  /**
   * Admits `n` units, and waits for a refill before it says no.
   *
   * @throws RangeError when `n` is not a whole number above zero.
   */
  async admit(n = 1): Promise<boolean> {
    const { refills, isAsking } = this.#book;
    if (this.take(n)) return true;
    // A request that has left already does not know of these units; the one after it does.
    const enough = refills + (isAsking ? 2 : 1);
    while (this.#book.isAsking && this.#book.refills < enough) {
      await this.#nextAnswer();
      if (this.take(n)) return true;
    }
    return false;
  }

  /**
   * Waits for the first answer, for as long as that takes: while Tidemark is away, it is asked again and again.
   * The answer may be that there is nothing to hold, for a `reason`.
   *
   * @throws TidemarkError when Tidemark refuses, the metric has no whole units, or the lease is closed before.
   */
  async ready(): Promise<void> {
    for (;;) {
      if (this.#failure !== null) throw this.#failure;
      if (this.#book.refills > 0) return;
      if (this.#isClosed) throw new TidemarkError(CLOSED);
      this.#pump();
      await this.#nextAnswer();
    }
  }

  /**
   * Reports what was used and gives back the rest; nothing is admitted any more.
   *
   * @returns whether Tidemark has heard it in time. If not, the units stay counted as used until it has: the
   *   report is tried again in the background, for which no process stays alive.
   */
  async close(timeoutMs = this.#context.timeoutMs): Promise<boolean> {
    const deadline = performance.now() + timeoutMs;
    this.#end();
    for (;;) {
      if (this.#pump() === "done") return true;
      const leftMs = deadline - performance.now();
      if (leftMs <= 0) return false;
      await this.#nextAnswer(leftMs);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #end(): void {
    this.#isClosed = true;
    this.#book.close();
    this.#tell();
  }

  /** Does what the book says. */
  #pump(): "done" | "busy" {
    const now = performance.now();
    const action = this.#book.next(now);
    this.#setAwake(!this.#isClosed && action.kind !== "idle");
    switch (action.kind) {
      case "send":
        this.#context.waitUntil(this.#send(action.request));
        return "busy";
      case "wait":
        this.#wakeAt(action.until, now);
        return "busy";
      case "idle":
        return "busy";
      case "done":
        return "done";
    }
  }

  #setAwake(isAwake: boolean): void {
    if (isAwake === this.#isAwake) return;
    this.#isAwake = isAwake;
    if (isAwake) this.#context.onWake(this);
    else this.#context.onRest(this);
  }

  /** One timer is enough, and one that is overdue has ended with the request that it belonged to. */
  #wakeAt(at: number, now: number): void {
    if (this.#timerAt <= at && this.#timerAt > now) return;
    this.#timerAt = at;
    void this.#pumpAfter(at - now, at);
  }

  async #pumpAfter(ms: number, at: number): Promise<void> {
    await waitAside(ms);
    if (this.#timerAt === at) this.#timerAt = Infinity;
    this.#pump();
  }

  async #send(request: LeaseRequest): Promise<void> {
    const { api, timeoutMs } = this.#context;
    const answer = await api.post(pathOf(request), this.#bodyOf(request), toLeaseAnswer, timeoutMs);
    this.#settle(request, answer, performance.now());
    this.#pump();
    this.#tell();
  }

  /** Wakes up who waits; they look for themselves. */
  #tell(): void {
    const listeners = this.#listeners;
    this.#listeners = [];
    for (const listener of listeners) listener();
  }

  #settle(request: LeaseRequest, answer: Answer<ReasonedLeaseAnswer>, now: number): void {
    if (answer.kind === "answered") {
      this.#failure = null;
      if (request.want !== null) this.#reason = answer.body.reason;
      this.#book.answered(request, answer.body, now);
      if (!Number.isSafeInteger(answer.body.granted)) this.#refuseFractions();
    } else if (answer.kind === "refused" && isFinal(request, answer.error)) {
      this.#failure = answer.error;
      this.#report(this.#book.refused(request, now), answer.error.detail);
    } else {
      this.#book.lost(request, now);
      this.#report(0, answer.kind === "refused" ? answer.error.detail : answer.detail);
    }
  }

  /** What was granted goes back: counting it here would round. */
  #refuseFractions(): void {
    const detail = `${this.#context.metric} does not come in whole units below 2^53: use \`consume\` or \`reserve\`.`;
    this.#failure = new TidemarkError({ code: "not_whole_units", detail });
    this.#end();
    this.#report(0, detail);
  }

  #report(unreported: number, detail: string): void {
    this.#context.onError({ kind: "lease", metric: this.#context.metric, unreported, detail });
  }

  #bodyOf(request: LeaseRequest): string {
    if (request.kind === "report") {
      const { sequence, used, want } = request;
      return JSON.stringify(want === null ? { sequence, used } : { sequence, used, renew: { want } });
    }
    const { customerId, metric, options } = this.#context;
    // Made late: Workers allow no randomness before the first request.
    this.#holder ??= crypto.randomUUID();
    return JSON.stringify({
      customer_id: customerId,
      metric,
      want: request.want,
      holder: this.#holder,
      ttl_seconds: options.ttlSeconds,
      id: request.id,
    });
  }

  /** Waits for an answer or its loss, and no longer than either can take. */
  #nextAnswer(msMax = Infinity): Promise<boolean> {
    const settled = new Promise<void>((resolve) => {
      this.#listeners.push(resolve);
    });
    return within(settled, Math.min(msMax, 2 * this.#context.timeoutMs));
  }
}

const CLOSED = { code: "lease_closed", detail: "The lease was closed before its first answer: ask for another." };

function wholeUnits(n: number): number {
  if (Number.isSafeInteger(n) && n > 0) return n;
  throw new RangeError(`A lease counts whole units: ${n} is not a whole number from 1 to 2^53 - 1.`);
}

function pathOf(request: LeaseRequest): string {
  return request.kind === "grant" ? "/v1/leases" : `/v1/leases/${encodeURIComponent(request.id)}/report`;
}

/** A lease that the meter does not know is over; one that the key may not report just now is not. */
function isFinal(request: LeaseRequest, error: TidemarkError): boolean {
  return request.kind === "grant" || error.status === 404 || error.status === 409;
}
