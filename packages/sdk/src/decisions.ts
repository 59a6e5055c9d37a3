import type { Answer, Api } from "./api.ts";
import { Caller } from "./caller.ts";
import { Courier, type Hold } from "./courier.ts";
import { type Decision, type Quantity, toDecision, unavailableDecision, type UnavailablePolicy } from "./decision.ts";
import type { OnError } from "./fault.ts";
import { type Replay, sendReplays, toReplayResult } from "./replay.ts";
import { Reservation, type ReservationInput } from "./reservation.ts";
import { toReserved } from "./to-reserved.ts";
import type { Properties } from "./usage-event.ts";

/** What a decision is about. */
export interface CheckInput {
  readonly customer_id: string;
  readonly metric: string;
  /** 1 unless told. */
  readonly amount?: Quantity | undefined;
}

/** Usage of one metric, or of several that are allowed all or none. */
export type ConsumeInput =
  | (CheckInput & {
      readonly id?: string | undefined;
      readonly properties?: Properties | undefined;
      /** With an amount below 0: the id of what it gives back. */
      readonly returns?: string | undefined;
    })
  | {
      readonly customer_id: string;
      readonly items: readonly { readonly metric: string; readonly amount: Quantity }[];
      readonly id?: string | undefined;
    };

export interface DecideOptions {
  /** What holds when Tidemark cannot be reached; the client's own unless told. */
  readonly unavailable?: UnavailablePolicy | undefined;
  /** How long a decision may take, all attempts together, in milliseconds; the client's own unless told. */
  readonly timeoutMs?: number | undefined;
  /** What a refusal does: it throws, unless it is to be told to `onError` and decided as if Tidemark were away. */
  readonly onRefused?: "throw" | "unavailable" | undefined;
}

/** A decision on usage. An event that is tracked with the same `id` completes it and is not counted twice. */
export interface Consumption extends Decision {
  readonly id: string;
}

export interface DecisionsOptions {
  readonly api: Api;
  readonly timeoutMs: number;
  readonly unavailable: UnavailablePolicy;
  readonly spoolMax: number;
  readonly onError: OnError;
  readonly waitUntil: (work: Promise<unknown>) => void;
}

/** Requests that are made side by side when Tidemark is back. */
const REPLAYS_AT_ONCE = 16;
/** How long the first replay waits: what has just failed would fail again. */
const REPLAY_DELAY_MS = 250;

/** Asks for decisions, and sees to it that usage admitted without one is counted later. */
export class Decisions {
  readonly #options: DecisionsOptions;
  readonly #caller: Caller;
  readonly #courier: Courier<Replay>;
  /** Usage that waits to be counted, by its id, and what waits for that. */
  readonly #waiting = new Map<string, (() => void)[]>();

  constructor(options: DecisionsOptions) {
    this.#options = options;
    this.#caller = new Caller(options.api);
    this.#courier = new Courier({
      parcelsMax: options.spoolMax,
      countMax: REPLAYS_AT_ONCE,
      bytesMax: Infinity,
      intervalMs: REPLAY_DELAY_MS,
      // A replay is at most two requests, one after the other.
      deliveryMsMax: 3 * options.timeoutMs + 1_000,
      deliver: (batch) => sendReplays(batch, options.onError),
      waitUntil: options.waitUntil,
    });
  }

  /** @throws TidemarkError when Tidemark refuses the request. */
  async check(input: CheckInput, options: DecideOptions): Promise<Decision> {
    const answer = await this.#ask("/v1/check", JSON.stringify(input), toDecision, options);
    return answer ?? this.decideAlone(input.metric, options);
  }

  /** @throws TidemarkError when Tidemark refuses the request. */
  async consume(input: ConsumeInput, options: DecideOptions): Promise<Consumption> {
    const id = input.id ?? crypto.randomUUID();
    const path = "/v1/consume";
    const body = JSON.stringify({ ...input, id });
    const answer = await this.#ask(path, body, toDecision, options);
    if (answer !== undefined) return { ...answer, id };
    const metric = "items" in input ? (input.items[0]?.metric ?? "") : input.metric;
    const decision = this.decideAlone(metric, options);
    if (decision.allowed) {
      // It has been admitted: what is left of the limit does not matter any more.
      const admitted = JSON.stringify({ ...input, id, enforce: false });
      this.#replay(id, path, admitted, () => this.#attempt(path, admitted));
    }
    return { ...decision, id };
  }

  /** @throws TidemarkError when Tidemark refuses the request. */
  async reserve(input: ReservationInput, options: DecideOptions): Promise<Reservation> {
    const id = input.id ?? crypto.randomUUID();
    const request = { ...input, id };
    const reserved = await this.#ask("/v1/reservations", JSON.stringify(request), toReserved, options);
    const decision = reserved?.decision ?? this.decideAlone(input.metric, options);
    return new Reservation({
      request,
      decision,
      grant: reserved?.grant ?? null,
      timeoutMs: options.timeoutMs ?? this.#options.timeoutMs,
      api: this.#options.api,
      caller: this.#caller,
      replay: (path, step, attempt) => this.#replay(id, path, step, attempt),
    });
  }

  /** What holds when Tidemark cannot be asked. */
  decideAlone(metric: string, options: DecideOptions): Decision {
    return unavailableDecision(metric, options.unavailable ?? this.#options.unavailable);
  }

  /** Keeps back what completes the usage with this id until it is counted; `undefined` when that is not awaited. */
  untilCounted(id: string | undefined): Hold | undefined {
    const waiting = id === undefined ? undefined : this.#waiting.get(id);
    return waiting === undefined ? undefined : (release) => void waiting.push(release);
  }

  /** @returns how many replays are not answered after `timeoutMs`. */
  flush(timeoutMs: number): Promise<number> {
    return this.#courier.flush(timeoutMs);
  }

  /** Tries once more in spite of a pause. */
  close(timeoutMs: number): Promise<number> {
    return this.#courier.flush(timeoutMs, true);
  }

  /** @returns `undefined` when Tidemark cannot be reached. */
  async #ask<T>(
    path: string,
    body: string,
    parse: (body: unknown) => T | undefined,
    options: DecideOptions,
  ): Promise<T | undefined> {
    const outcome = await this.#caller.call(path, body, parse, options.timeoutMs ?? this.#options.timeoutMs);
    switch (outcome.kind) {
      case "answered":
        return outcome.body;
      case "refused":
        if (options.onRefused !== "unavailable") throw outcome.error;
        this.#options.onError({ kind: "unavailable", path, detail: outcome.error.message });
        return undefined;
      case "unavailable":
        if (outcome.attempted) this.#options.onError({ kind: "unavailable", path, detail: outcome.detail });
        return undefined;
    }
  }

  async #attempt(path: string, body: string): Promise<Answer<ReturnType<typeof toReplayResult>>> {
    const answer = await this.#options.api.post(path, body, toDecision, this.#options.timeoutMs);
    return answer.kind === "answered" ? { kind: "answered", body: toReplayResult(answer.body) } : answer;
  }

  #replay(id: string, path: string, body: string, attempt: Replay["attempt"]): void {
    const waiting: (() => void)[] = [];
    const onSettled = (): void => {
      this.#waiting.delete(id);
      for (const release of waiting) release();
    };
    if (this.#courier.add({ path, body, bytes: 0, attempt }, { onSettled })) {
      this.#waiting.set(id, waiting);
    } else {
      this.#options.onError({ kind: "uncounted", path, body, detail: "Too much usage waits to be counted already." });
    }
  }
}
