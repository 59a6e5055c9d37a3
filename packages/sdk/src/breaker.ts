import { type Backoff, ceilingMs } from "./backoff.ts";

/** Failures in a row before calls are no longer attempted: one slow answer is no outage. */
const FAILURES_MAX = 5;
const PAUSE: Backoff = { baseMs: 1_000, maxMs: 30_000 };

/**
 * A circuit breaker: after some failures in a row it lets nothing pass for a while, then single probes,
 * with pauses that double. So a slow Tidemark does not add its timeout to every request. It has no clock:
 * every method takes the time, in milliseconds of one that never goes back.
 */
export class Breaker {
  #failures = 0;
  #opensAt = 0;

  /** Whether a call may be attempted now. While it is open, the first to ask after a pause is the probe. */
  permits(now: number): boolean {
    if (this.#failures < FAILURES_MAX) return true;
    if (now < this.#opensAt) return false;
    // A probe whose answer never comes, because its runtime went away, only delays the next one.
    this.#opensAt = now + this.#pauseMs();
    return true;
  }

  succeeded(): void {
    this.#failures = 0;
  }

  failed(now: number): void {
    this.#failures += 1;
    this.#opensAt = now + this.#pauseMs();
  }

  #pauseMs(): number {
    return ceilingMs(PAUSE, this.#failures - FAILURES_MAX + 1);
  }
}
