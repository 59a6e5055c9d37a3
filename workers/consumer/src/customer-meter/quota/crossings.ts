import type { BalanceWatch, NearLimit } from "./balance-watch.ts";
import type { Crossing, Watch } from "./watch.ts";

/** As the head's row has them. */
export interface StoredCrossings {
  readonly crossings: readonly Crossing[];
  readonly near?: readonly NearLimit[];
}

/** What was crossed and waits to be handed over. */
export class Crossings {
  #crossings: readonly Crossing[];
  #near: readonly NearLimit[];

  constructor({ crossings, near = [] }: StoredCrossings) {
    this.#crossings = crossings;
    this.#near = near;
  }

  get crossings(): readonly Crossing[] {
    return this.#crossings;
  }

  get near(): readonly NearLimit[] {
    return this.#near;
  }

  get isEmpty(): boolean {
    return this.#crossings.length === 0 && this.#near.length === 0;
  }

  /** How many there are. */
  get count(): number {
    return this.#crossings.length + this.#near.length;
  }

  toStored(): StoredCrossings {
    return { crossings: this.#crossings, ...(this.#near.length === 0 ? {} : { near: this.#near }) };
  }

  /** Notes what a watch has seen: of several balances that say the same, one. @returns those that are new. */
  look(watch: Watch, now: number): readonly Crossing[] {
    const fresh = watch.look(now).filter(({ id }) => !this.#crossings.some((known) => known.id === id));
    if (fresh.length > 0) this.#crossings = [...this.#crossings, ...fresh];
    return fresh;
  }

  /** Notes whether a balance came near its limit. */
  lookNear(watch: BalanceWatch, now: number): void {
    const noted = watch.lookNear(now);
    if (noted === undefined) return;
    this.#near = [...this.#near.filter(({ balance }) => balance !== noted.balance), noted];
  }

  /** Forgets what was handed over. */
  markSent(sent: { readonly crossings: readonly Crossing[]; readonly near: readonly NearLimit[] }): void {
    const ids = new Set(sent.crossings.map(({ id }) => id));
    this.#crossings = this.#crossings.filter(({ id }) => !ids.has(id));
    this.#near = this.#near.filter(({ balance, at }) =>
      sent.near.every((each) => each.balance !== balance || each.at !== at),
    );
  }
}
