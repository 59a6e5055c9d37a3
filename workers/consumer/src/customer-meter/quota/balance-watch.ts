import type { NearLimitsMessage } from "@tidemark/contract";
import { NEAR_LIMIT_PERCENT } from "@tidemark/core/report-rules";
import { isBeyond } from "@tidemark/core/threshold";
import type { LiveBalance } from "./live-balance.ts";
import { Watch, type WatchContext } from "./watch.ts";

/** A balance that came near its limit. */
export type NearLimit = NearLimitsMessage["balances"][number];

/** Under this key a balance notes that it came near its limit. */
const NEAR = "near";
/** What reports call near. */
const NEAR_LINE = { percent: NEAR_LIMIT_PERCENT } as const;

/** Watches a balance: besides people's thresholds, whether it comes near its limit, for the report of those who do. */
export class BalanceWatch extends Watch {
  readonly #live: LiveBalance;
  #isNear: boolean;

  constructor(live: LiveBalance, context: WatchContext) {
    super(live, context);
    this.#live = live;
    this.#isNear = this.#see();
  }

  /** A cycle has begun since the last look: before it nothing of it was used. */
  beginCycle(): void {
    this.#live.forgetFired();
    this.moveTo(this.#live.balance.state.current.used_before);
    this.#isNear = false;
  }

  /** What came near its limit since the last look, once in a cycle. */
  lookNear(now: number): NearLimit | undefined {
    const before = this.#isNear;
    this.#isNear = this.#see();
    const { cycle, fired, key, label } = this.#live;
    if (!this.#isNear || before || fired.get(NEAR)?.start === cycle.start) return undefined;
    this.#live.note(NEAR, { start: cycle.start, times: 1, is_armed: false });
    const balance = label === "" ? key : `${key}/${label}`;
    return { metric_id: this.metric.id, balance, at: now, cycle_end: cycle.end };
  }

  #see(): boolean {
    const { allowance, used } = this.#live;
    return allowance !== null && allowance > 0 && isBeyond(">=", NEAR_LINE, used, allowance);
  }
}
