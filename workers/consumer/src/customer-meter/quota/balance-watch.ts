import type { NearLimitsMessage } from "@tidemark/contract";
import { isNearLimit } from "@tidemark/core/report-rules";
import type { LiveBalance } from "./live-balance.ts";
import { Watch, type WatchContext } from "./watch.ts";

/** A balance that came near its limit. */
export type NearLimit = NearLimitsMessage["balances"][number];

/** Under this key a balance notes that it came near its limit. */
const NEAR = "near";

/** Watches a balance: besides people's thresholds, whether it comes near its limit, for the report of those who do. */
export class BalanceWatch extends Watch {
  readonly #live: LiveBalance;

  constructor(live: LiveBalance, context: WatchContext) {
    super(live, context);
    this.#live = live;
  }

  /** A cycle has begun since the last look: before it nothing of it was used. */
  beginCycle(): void {
    this.#live.forgetFired();
    this.moveTo(this.#live.usedBefore);
  }

  /** What is near its limit, once in a cycle. */
  lookNear(now: number): NearLimit | undefined {
    const { allowance, cycle, fired, key, label, used } = this.#live;
    if (allowance === null || !isNearLimit(used ?? 0, allowance) || fired.get(NEAR)?.start === cycle.start)
      return undefined;
    this.#live.note(NEAR, { start: cycle.start, times: 1, is_armed: false });
    const balance = label === "" ? key : `${key}/${label}`;
    return { metric_id: this.metric.id, balance, at: now, cycle_end: cycle.end };
  }
}
