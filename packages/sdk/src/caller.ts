import type { Answer, Api } from "./api.ts";
import { backoffMs } from "./backoff.ts";
import { Breaker } from "./breaker.ts";
import { wait } from "./timer.ts";

/** Attempts of one decision: what fails three times at once will not work within a request's patience. */
const ATTEMPTS_MAX = 3;
/** Somebody is waiting, so these waits are short. */
const PAUSE = { baseMs: 100, maxMs: 1_000 };

/** What became of a call: as of an attempt, and whether there was one. */
export type Outcome<T> = Answer<T> & { readonly attempted: boolean };

/** Makes the calls that somebody waits for: several attempts within one deadline, behind a circuit breaker. */
export class Caller {
  readonly #api: Api;
  readonly #breaker = new Breaker();

  constructor(api: Api) {
    this.#api = api;
  }

  /**
   * Posts the same body until there is an answer, `timeoutMs` at most. The body carries an id where it
   * changes anything, so that an attempt whose answer was lost is not made twice.
   */
  async call<T>(
    path: string,
    body: string,
    parse: (body: unknown) => T | undefined,
    timeoutMs: number,
  ): Promise<Outcome<T>> {
    const startedAt = performance.now();
    if (!this.#breaker.permits(startedAt)) return SKIPPED;
    const deadline = startedAt + timeoutMs;
    for (let attempt = 1; ; attempt++) {
      const answer = await this.#api.post(path, body, parse, deadline - performance.now());
      if (answer.kind !== "unavailable") {
        this.#breaker.succeeded();
        return { ...answer, attempted: true };
      }
      const now = performance.now();
      const waitMs = answer.retryAfterMs ?? backoffMs(PAUSE, attempt, Math.random());
      if (attempt === ATTEMPTS_MAX || now + waitMs >= deadline) {
        this.#breaker.failed(now);
        return { ...answer, attempted: true };
      }
      await wait(waitMs);
    }
  }
}

const SKIPPED = {
  kind: "unavailable",
  detail: "Tidemark has not answered for a while; the next attempt is due shortly.",
  retryAfterMs: null,
  attempted: false,
} as const;
