import type { Answer, Api } from "./api.ts";
import type { OnError } from "./fault.ts";
import { type LeaseAnswer, LeaseBook, type LeaseRequest } from "./lease-book.ts";
import { waitAside, within } from "./timer.ts";
import { isObject } from "./is-object.ts";
import { TidemarkError } from "./tidemark-error.ts";

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
  readonly onClose: () => void;
}

/**
 * Units held by this process, so that it decides by itself, without a network hop. All holders together
 * never admit more than the limit. A lease is always closed: when Tidemark is away it admits what it
 * holds and no more.
 *
 * @example
 * await using lease = client.lease("acme", "api_request");
 * await lease.ready();
 * if (!lease.take()) return new Response("The limit is reached.", { status: 429 });
 */
export class Lease implements AsyncDisposable {
  readonly #context: LeaseContext;
  readonly #book: LeaseBook;
  #holder: string | undefined;
  #timerAt = Infinity;
  #failure: TidemarkError | null = null;
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

  /**
   * Admits `n` units, at once and without the network: `false` when fewer are held. More are fetched in
   * the background before they run out.
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
   *
   * @throws TidemarkError when Tidemark refuses, or the metric has no whole units.
   */
  async ready(): Promise<void> {
    for (;;) {
      if (this.#failure !== null) throw this.#failure;
      if (this.#book.refills > 0) return;
      this.#pump();
      await this.#nextAnswer();
    }
  }

  /**
   * Reports what was used and gives back the rest; nothing is admitted any more.
   *
   * @returns whether Tidemark has heard it in time. If not, the units stay counted as used.
   */
  async close(timeoutMs = this.#context.timeoutMs): Promise<boolean> {
    this.#book.close();
    this.#context.onClose();
    return within(this.#untilDone(), timeoutMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #untilDone(): Promise<void> {
    while (this.#pump() !== "done") await this.#nextAnswer();
  }

  /** Does what the book says. */
  #pump(): "done" | "busy" {
    const now = performance.now();
    const action = this.#book.next(now);
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
    const listeners = this.#listeners;
    this.#listeners = [];
    this.#pump();
    for (const listener of listeners) listener();
  }

  #settle(request: LeaseRequest, answer: Answer<LeaseAnswer>, now: number): void {
    if (answer.kind === "answered") {
      this.#failure = null;
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
    this.#book.close();
    this.#context.onClose();
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
  #nextAnswer(): Promise<boolean> {
    const settled = new Promise<void>((resolve) => {
      this.#listeners.push(resolve);
    });
    return within(settled, 2 * this.#context.timeoutMs);
  }
}

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

/** `granted` is NaN when it is no whole number that is exact here. */
function toLeaseAnswer(body: unknown): LeaseAnswer | undefined {
  if (!isObject(body)) return undefined;
  const { id, granted, sequence, ttl_ms: ttlMs, remaining } = body;
  if (typeof id !== "string" || typeof granted !== "string") return undefined;
  if (typeof sequence !== "number" || typeof ttlMs !== "number") return undefined;
  const units = /^\d+$/.test(granted) ? Number(granted) : NaN;
  return {
    id,
    granted: Number.isSafeInteger(units) ? units : NaN,
    sequence,
    ttlMs,
    remaining: typeof remaining === "string" ? Number(remaining) : Infinity,
  };
}
