import type { Api } from "./api.ts";
import type { Caller } from "./caller.ts";
import type { Decision, Quantity } from "./decision.ts";
import { toObject } from "./is-object.ts";
import { makeUp, stepPath, toCounted } from "./make-up.ts";
import type { Replay } from "./replay.ts";
import { TidemarkError } from "./tidemark-error.ts";
import type { ReservationGrant } from "./to-reserved.ts";
import type { Properties } from "./usage-event.ts";

/** Units to hold before their use is known. */
export interface ReservationInput {
  readonly customer_id: string;
  readonly metric: string;
  readonly amount: Quantity;
  /** How long they are held: at most 24 hours. */
  readonly ttl_seconds?: number | undefined;
  /** What becomes of them at the end: given back, unless told to be charged. */
  readonly on_expiry?: "release" | "charge" | undefined;
  /** A reservation is made once for each id. Left out, the client makes one. */
  readonly id?: string | undefined;
}

/** A reservation with the id that makes it once. */
export type ReservationRequest = ReservationInput & { readonly id: string };

export interface CommitInput {
  /** What was used; everything that is held unless told. The rest is given back. */
  readonly amount?: Quantity | undefined;
  readonly properties?: Properties | undefined;
  /** When more was used than is held: refuse (409), count what is held, or count all of it. */
  readonly on_excess?: "reject" | "cap" | "overflow" | undefined;
}

/** What became of a step. */
export interface Settlement {
  /** Whether Tidemark has it. A commit or release that it does not have yet is sent again in the background. */
  readonly delivered: boolean;
  /** Tidemark's answer; `null` when there is none. */
  readonly answer: Readonly<Record<string, unknown>> | null;
}

export interface ReservationOptions {
  /** The request that made it, or should have. */
  readonly request: ReservationRequest;
  readonly decision: Decision;
  readonly grant: ReservationGrant | null;
  readonly timeoutMs: number;
  readonly api: Api;
  readonly caller: Caller;
  readonly replay: (path: string, body: string, attempt: Replay["attempt"]) => void;
}

/**
 * Units held for a customer until it is known how many were used.
 *
 * @example
 * const reservation = await client.reserve({ customer_id: "acme", metric: "tokens", amount: 4_000 });
 * if (!reservation.allowed) throw new Error("The limit is reached.");
 * const { tokens } = await answerPrompt();
 * await reservation.commit({ amount: tokens, on_excess: "overflow" });
 */
export class Reservation {
  readonly decision: Decision;
  /** What is held; `null` when it was denied, or admitted without a meter. */
  readonly grant: ReservationGrant | null;
  readonly #options: ReservationOptions;

  constructor(options: ReservationOptions) {
    this.#options = options;
    this.decision = options.decision;
    this.grant = options.grant;
  }

  get allowed(): boolean {
    return this.decision.allowed;
  }

  /**
   * Counts what was used and gives back the rest. Repeating it changes nothing.
   *
   * @throws TidemarkError when it was denied, or Tidemark refuses the commit.
   */
  commit(input: CommitInput = {}): Promise<Settlement> {
    return this.#settle("commit", input);
  }

  /**
   * Gives everything back. A reservation that was denied holds nothing, and this does nothing.
   *
   * @throws TidemarkError when Tidemark refuses the release.
   */
  async release(): Promise<Settlement> {
    return this.allowed ? this.#settle("release", {}) : { delivered: true, answer: null };
  }

  /**
   * Holds it until `ttlSeconds` from now, while a stream runs. It is not repeated in the background.
   *
   * @throws TidemarkError when it was denied, or Tidemark refuses the extension.
   */
  async extend(ttlSeconds: number): Promise<Settlement> {
    this.#assertAllowed();
    if (this.grant === null) return UNDELIVERED;
    const body = JSON.stringify({ ttl_seconds: ttlSeconds });
    return this.#call(stepPath(this.grant.id, "extend"), body);
  }

  async #settle(step: "commit" | "release", input: CommitInput): Promise<Settlement> {
    this.#assertAllowed();
    const { api, replay, request, timeoutMs } = this.#options;
    const { grant } = this;
    if (grant === null) {
      replay("/v1/reservations", JSON.stringify(request), makeUp({ api, timeoutMs, request, step, input }));
      return UNDELIVERED;
    }
    const body = JSON.stringify(input);
    const path = stepPath(grant.id, step);
    const settlement = await this.#call(path, body);
    if (!settlement.delivered) {
      replay(path, body, async () => toCounted(await api.post(path, body, toObject, timeoutMs)));
    }
    return settlement;
  }

  async #call(path: string, body: string): Promise<Settlement> {
    const { caller, timeoutMs } = this.#options;
    const outcome = await caller.call(path, body, toObject, timeoutMs);
    if (outcome.kind === "refused") throw outcome.error;
    return outcome.kind === "answered" ? { delivered: true, answer: outcome.body } : UNDELIVERED;
  }

  #assertAllowed(): void {
    if (this.allowed) return;
    throw new TidemarkError({
      code: "not_reserved",
      detail: `Nothing is held (${this.decision.reason ?? "denied"}): look at \`allowed\` before using it.`,
    });
  }
}

const UNDELIVERED: Settlement = { delivered: false, answer: null };
