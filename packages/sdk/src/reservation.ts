import type { Answer, Api } from "./api.ts";
import type { Caller } from "./caller.ts";
import { type Decision, type Quantity, toDecision } from "./decision.ts";
import { type Replay, type ReplayResult, toReplayResult } from "./replay.ts";
import { isObject } from "./is-object.ts";
import { TidemarkError } from "./tidemark-error.ts";
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

/** What is held. */
export interface ReservationGrant {
  /** The id under which Tidemark knows it. */
  readonly id: string;
  readonly granted: string;
  readonly expires_at: string;
}

export interface ReservationOptions {
  readonly id: string;
  /** The request that made it, or should have. */
  readonly body: string;
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
    return this.#settle("commit", JSON.stringify(input));
  }

  /**
   * Gives everything back. A reservation that was denied holds nothing, and this does nothing.
   *
   * @throws TidemarkError when Tidemark refuses the release.
   */
  async release(): Promise<Settlement> {
    return this.allowed ? this.#settle("release", "{}") : { delivered: true, answer: null };
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

  async #settle(step: "commit" | "release", body: string): Promise<Settlement> {
    this.#assertAllowed();
    const { api, replay, timeoutMs } = this.#options;
    const { grant } = this;
    if (grant === null) {
      // An attempt whose answer was lost may have made it. Making it again, which is making it once, tells.
      replay("/v1/reservations", this.#options.body, () => this.#reserveAnd(step, body));
      return UNDELIVERED;
    }
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

  async #reserveAnd(step: "commit" | "release", body: string): Promise<Answer<ReplayResult>> {
    const { api, timeoutMs } = this.#options;
    const made = await api.post("/v1/reservations", this.#options.body, toReserved, timeoutMs);
    if (made.kind !== "answered") return made;
    const { decision, grant } = made.body;
    if (grant === null) return { kind: "answered", body: step === "release" ? "counted" : withoutGrant(decision) };
    return toCounted(await api.post(stepPath(grant.id, step), body, toObject, timeoutMs));
  }

  #assertAllowed(): void {
    if (this.allowed) return;
    throw new TidemarkError({
      code: "not_reserved",
      detail: `Nothing is held (${this.decision.reason ?? "denied"}): look at \`allowed\` before using it.`,
    });
  }
}

/** Reads the answer to a reservation: a decision, and what is held when it allows. */
export function toReserved(body: unknown): { decision: Decision; grant: ReservationGrant | null } | undefined {
  const decision = toDecision(body);
  if (decision === undefined || !isObject(body)) return undefined;
  const { id, granted, expires_at: expiresAt } = body;
  // Denied, or admitted by the limit's own policy while its meter is away: either way nothing is held.
  if (!decision.allowed || (!decision.enforced && id === undefined)) return { decision, grant: null };
  if (typeof id !== "string" || typeof granted !== "string" || typeof expiresAt !== "string") return undefined;
  return { decision, grant: { id, granted, expires_at: expiresAt } };
}

const UNDELIVERED: Settlement = { delivered: false, answer: null };

/** What nothing held means for a commit: where it was admitted all the same, the meter is still away. */
function withoutGrant(decision: Decision): ReplayResult {
  return decision.allowed ? "later" : toReplayResult(decision);
}

function stepPath(id: string, step: string): string {
  return `/v1/reservations/${encodeURIComponent(id)}/${step}`;
}

function toObject(body: unknown): Readonly<Record<string, unknown>> | undefined {
  return isObject(body) ? body : undefined;
}

function toCounted(answer: Answer<unknown>): Answer<ReplayResult> {
  return answer.kind === "answered" ? { kind: "answered", body: "counted" } : answer;
}
