import type { ApplyReply } from "@tidemark/contract";
import type { MetricDay, UsageDay } from "@tidemark/core";
import type { MeterRow } from "./meter-row.ts";
import { planFlush } from "./plan-flush.ts";
import type { NearLimit } from "./quota/balance-watch.ts";
import type { Crossing } from "./quota/watch.ts";

/** What has not been handed to the rollup queue, and up to where handing it over reaches. */
export interface Outbox {
  readonly days: readonly UsageDay[];
  readonly crossings: readonly Crossing[];
  /** Balances that came near their limit. */
  readonly near: readonly NearLimit[];
  readonly version: number;
  readonly resends: number;
}

/** When a meter's alarm rings, and what it then hands over. */
export class Flushing {
  readonly #row: MeterRow;
  /** Whether this instance has set the alarm and not seen it run. */
  #isPending = false;
  /** Counts what was put back into the outbox: a flush that began before does not take it out again. */
  #resends = 0;

  constructor(row: MeterRow) {
    this.#row = row;
  }

  /** When to set the alarm for days that have changed, or `null`. */
  planChange(now: number, flushIntervalMs: number): number | null {
    return this.#setFor(planFlush(this.#row.head.flush, now, flushIntervalMs, this.#isPending));
  }

  /** The same for what people want to be told of: at once. */
  planNotice(now: number): number {
    this.#row.head.flush.due_at = now;
    this.#isPending = true;
    return now;
  }

  /** Brings the alarm forward when the ids want compaction; the flush that it also does is welcome. */
  planCompaction(now: number): number | null {
    const { flush } = this.#row.head;
    const isSet = this.#isPending && flush.due_at !== null && flush.due_at <= now;
    return this.#row.needsCompaction && !isSet ? this.planNotice(now) : null;
  }

  /** Puts everything that a job has replaced into the outbox again. @returns when to set the alarm. */
  planResend(now: number): number {
    this.#resends++;
    return this.planNotice(now);
  }

  /** When to set the alarm after a flush: at once if there is more to tidy, else for what changed meanwhile, else `null`. */
  planNext(moreToTidy: boolean, now: number, flushIntervalMs: number): number | null {
    const { flush, version } = this.#row.head;
    if (moreToTidy) return this.planNotice(now);
    return version <= flush.sent_version ? null : this.planChange(now, flushIntervalMs);
  }

  #setFor(at: number | null): number | null {
    if (at !== null) this.#isPending = true;
    return at;
  }

  /** The alarm rings: what has not been handed to the rollup queue yet, and the version that handing it over reaches. */
  outbox(): Outbox {
    this.#isPending = false;
    const { head, books, quotas } = this.#row;
    const { flush, version } = head;
    const days = books.readAfter(flush.sent_version, flush.rests_unsent);
    const { crossings, near } = quotas.crossings;
    return { days, crossings, near, version, resends: this.#resends };
  }

  /**
   * Notes that the outbox was handed over. Nothing is written for that: sending the same rows again
   * changes nothing in D1, so the note may be lost.
   */
  markSent({ crossings, near, version, resends }: Outbox, now: number): void {
    const { head, quotas } = this.#row;
    const { flush } = head;
    quotas.crossings.markSent({ crossings, near });
    if (resends !== this.#resends) return;
    flush.sent_version = Math.max(flush.sent_version, version);
    flush.last_at = now;
    if (version < head.version) return;
    flush.rests_unsent = false;
    flush.due_at = null;
  }

  /** A day that waits to be flushed: this one, or some other. */
  watch(touched: MetricDay | undefined): ApplyReply["watch"] {
    const { head, books } = this.#row;
    const { flush } = head;
    if (flush.due_at === null) return null;
    const waiting = touched?.toUsage() ?? books.firstAfter(flush.sent_version, flush.rests_unsent);
    if (waiting === undefined) return null;
    return { metric_id: waiting.metric_id, day: waiting.day, version: waiting.version, due_at: flush.due_at };
  }
}
