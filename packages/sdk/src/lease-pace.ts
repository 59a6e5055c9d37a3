/** How long a grant should last. Shorter ones cost calls, longer ones hold what others could use. */
const TARGET_MS = 4_000;
/** The part of what remains that one holder asks for at most, so that others find something too. */
const SHARE = 8;
/** A grant is at most this large: then even what is held and what is granted add up exactly. */
const WANT_MAX = 2 ** 50;

/** Decides how much to ask for and when, by how fast units go and how long an answer takes. Pure, like its owner. */
export class LeasePace {
  #want: number;
  /** Units of the largest `take` that has failed since the last request. */
  #need = 0;
  #remaining = Infinity;
  /** Units per millisecond; `null` before the first is known. */
  #rate: number | null = null;
  #sentAt: number | null = null;
  #roundTripMs = 0;

  constructor(want: number) {
    this.#want = want;
  }

  /**
   * How much to ask for in the request that leaves now.
   *
   * @param used units that it reports; `null` when there were none to use, from which nothing can be learnt.
   * @param left units that are held, which the answer includes.
   */
  ask(used: number | null, left: number, now: number): number {
    if (this.#sentAt !== null && used !== null) this.#learn(used / Math.max(1, now - this.#sentAt));
    this.#sentAt = now;
    const want = this.#amount(left);
    this.#need = 0;
    return want;
  }

  /** A `take` of `n` units has failed. */
  missed(n: number): void {
    if (n > this.#need) this.#need = n;
  }

  /** Whether a `take` has failed since the last request that would fail again with `held` units. */
  isShort(held: number): boolean {
    return this.#need > held;
  }

  /** An answer has come after `roundTripMs`. */
  answered(roundTripMs: number, remaining: number): void {
    this.#roundTripMs = this.#roundTripMs === 0 ? roundTripMs : (this.#roundTripMs + roundTripMs) / 2;
    this.#remaining = remaining;
  }

  /** With how many of `held` units left it is time to ask for more; never so early that it would bring nothing. */
  lowWater(held: number): number {
    const duringTheAnswer = Math.ceil((this.#rate ?? 0) * this.#roundTripMs * 2);
    const low = Math.min(Math.max(duringTheAnswer, Math.floor(held / 8)), Math.floor(held / 2));
    return Math.min(low, this.#amount(0) - 1);
  }

  /** How long before its end a lease has to be renewed, so that the answer comes in time. */
  get renewalMs(): number {
    return this.#roundTripMs * 4;
  }

  #amount(left: number): number {
    const share = Number.isFinite(this.#remaining) ? Math.max(1, Math.floor(this.#remaining / SHARE)) : WANT_MAX;
    // A single `take` may need more than a share; what is not there it does not ask for.
    const need = this.#need <= left + this.#remaining ? this.#need : 0;
    return Math.min(WANT_MAX, Math.max(need, Math.min(this.#want, share)));
  }

  /** Towards what lasts for the target, by a factor of two at most. */
  #learn(rate: number): void {
    this.#rate = this.#rate === null ? rate : (this.#rate + rate) / 2;
    const ideal = Math.ceil(rate * TARGET_MS);
    this.#want = Math.min(Math.max(ideal, Math.floor(this.#want / 2), 1), this.#want * 2, WANT_MAX);
  }
}
