import { type CycleState, carriedOf, type Entry, leftOf, limitOf, newCycle } from "./balance-cycle.ts";
import type { BalanceState, BalanceView, FactOutcome, Tally } from "./balance-state.ts";
import { addCycle, freeOf, tallyOf, viewOf } from "./balance-view.ts";
import { greater, type Part, subtract } from "./bucket.ts";
import { changeTerms } from "./change-terms.ts";
import { type ClosedCycle, toClosed } from "./closed-cycle.ts";
import { closeCycle, type Closing } from "./closing.ts";
import { countFact } from "./count-fact.ts";
import { addSegments, countUsage } from "./count-usage.ts";
import { cycleAt } from "./cycle.ts";
import { setBase } from "./cycle-base.ts";
import { commit, deduct, enter, expireBuckets, hold, release } from "./cycle-units.ts";
import { addExact, type Exact } from "./exact.ts";
import { type Hold, mergeParts, type SettledHold, splitParts } from "./hold.ts";
import { openNext } from "./next-cycle.ts";
import { reclose } from "./reclose.ts";
import type { Terms } from "./terms.ts";

const NOTHING = { granted: 0, burned: 0, expired: 0, forfeited: 0, repaid: 0 };

/**
 * What one customer may use of one metric, through all cycles. Every method that takes `now` first rolls
 * each missed cycle, one by one. A cycle is open, then in grace, in which it is closed again with every
 * change and the difference reaches the current one, then final.
 */
export class Balance {
  readonly state: BalanceState;
  readonly #closed: ClosedCycle[] = [];
  readonly #settled: SettledHold[] = [];

  constructor(state: BalanceState) {
    this.state = state;
  }

  /** A balance whose first cycle is the one that `now` falls into. */
  static begin(terms: Terms, now: number): Balance {
    const span = cycleAt(terms.schedule, now);
    const balance = new Balance({
      terms,
      next_schedule: null,
      past_schedules: [],
      since: span.start,
      current: newCycle(0, span),
      previous: null,
      ahead: null,
      holds: new Map(),
      totals: NOTHING,
      rejected_late: 0,
      ended_at: null,
      is_final: false,
    });
    setBase(balance.state.current, terms.base);
    return balance;
  }

  get terms(): Terms {
    return this.state.terms;
  }

  /** Whether it was cancelled, and its time is over. */
  get isEnded(): boolean {
    return this.state.ended_at !== null;
  }

  /** Cycles that have become final since the last call. */
  takeClosed(): ClosedCycle[] {
    return this.#closed.splice(0);
  }

  /** Whether cycles have become final, or holds have ended by themselves, since they were taken. */
  get hasNews(): boolean {
    return this.#closed.length + this.#settled.length > 0;
  }

  /** Holds that ended by themselves since the last call. */
  takeSettled(): SettledHold[] {
    return this.#settled.splice(0);
  }

  /** Rolls missed cycles and lets go what has expired. */
  advance(now: number): void {
    const { state } = this;
    while (now >= state.current.end && !this.isEnded) {
      this.#expire(state.current.end);
      this.#roll();
    }
    this.#expire(now);
    this.#finalizeDue(now);
  }

  /** Whether `value` may be used now. Only a hard limit ever says no. */
  admits(value: Exact): boolean {
    const { terms } = this.state;
    if (this.isEnded) return false;
    if (terms.enforcement !== "hard" || value <= 0) return true;
    return this.fits(value);
  }

  /** Whether it is within the allowance, whatever the enforcement. */
  fits(value: Exact): boolean {
    const { terms, current } = this.state;
    const limit = limitOf(current);
    if (limit === null) return true;
    if (terms.aggregation === "max")
      return greater(current.is_used ? current.used : value, value) <= addExact(limit, carriedOf(current));
    return value <= freeOf(this.state);
  }

  /**
   * Counts usage in the current cycle, whether it fits or not.
   *
   * @param value units; for `unique` 1 for an id that is new in this cycle, else 0.
   * @param paid of a negative value: who paid what it returns.
   * @returns who paid.
   */
  consume(value: Exact, now: number, segments: number, paid?: readonly Part[]): Part[] {
    return countUsage(this.state.current, this.terms, { value, instant: now, segments, paid });
  }

  /**
   * Counts something that has happened, in the cycle that it happened in, if that can still change.
   *
   * @param valueIn what it adds to the cycle that begins at an instant.
   */
  fact(valueIn: (cycleStart: number) => Exact, instant: number, segments: number): FactOutcome {
    return countFact(this.state, { valueIn, instant, segments });
  }

  /** Sets units aside; see `admits`. */
  hold(id: string, units: Exact, ending: Pick<Hold, "on_expiry" | "expires_at">): Hold {
    const { current, holds } = this.state;
    const made: Hold = { ...ending, cycle: current.index, units, parts: hold(current, units) };
    holds.set(id, made);
    return made;
  }

  /** Adds units to a hold of the current cycle. */
  addToHold(made: Hold, units: Exact): void {
    made.parts = mergeParts([...made.parts, ...hold(this.state.current, units)]);
    made.units = addExact(made.units, units);
  }

  /** Uses some of what is held; the rest stays held. */
  useHeld(made: Hold, units: Exact, segments: number): Part[] {
    const { paid: used, rest } = splitParts(made.parts, units);
    let paid: Part[] = [];
    this.#changeCycleOf(made, (cycle) => {
      paid = commit(cycle, used);
      addSegments(cycle, this.terms, segments, units);
    });
    made.parts = rest;
    made.units = subtract(made.units, units);
    return paid;
  }

  /** Ends a hold: what it still holds goes back to where it came from, in the cycle it came from. */
  endHold(id: string): void {
    const made = this.state.holds.get(id);
    if (made === undefined) return;
    this.state.holds.delete(id);
    this.#changeCycleOf(made, (cycle) => {
      release(cycle, made.parts);
    });
  }

  /** Grants units to the current cycle. Granting the same bucket again changes nothing. */
  grant(entry: Omit<Entry, "origin" | "last_cycle">): boolean {
    const { current, previous } = this.state;
    if ([...current.buckets, ...(previous?.buckets ?? [])].some(({ id }) => id === entry.id)) return false;
    current.granted = addExact(current.granted, entry.units);
    enter(current, { ...entry, origin: current.index, last_cycle: null });
    return true;
  }

  /** Takes units away for good, in burn order. @returns whether there were so many. */
  deduct(units: Exact): boolean {
    const { current } = this.state;
    if (units > leftOf(current)) return false;
    deduct(current, units);
    return true;
  }

  /**
   * Puts other terms in the place of these. `keep`: the cycle goes on, a higher base is there at once, and a
   * lower one ends at what was used. `restart`: the cycle ends now and the next one begins with the new
   * terms. `prorate`: the cycle goes on with each base for its share of time. Another zone, anchor or interval
   * begins with the next cycle.
   */
  change(terms: Terms, mode: "keep" | "restart" | "prorate", now: number): void {
    const { state } = this;
    if (mode !== "restart") {
      changeTerms(state, terms, mode, now);
      return;
    }
    state.current.end = now;
    state.next_schedule = terms.schedule;
    this.#roll(terms);
  }

  /** Ends the cycle, and the balance with it. What is left is frozen, and forfeited when the cycle is final. */
  end(now: number): void {
    if (this.isEnded) return;
    this.state.ended_at = now;
    this.state.current.end = now;
  }

  /** Where it stands. */
  view(): BalanceView {
    return viewOf(this.state);
  }

  /** The sums that must always agree; see `Tally`. */
  tally(): Tally {
    return tallyOf(this.state);
  }

  /** How a cycle that can still change would be closed now. */
  closingOf(cycle: CycleState): Closing {
    return closeCycle(cycle, this.state.terms);
  }

  #roll(terms: Terms = this.state.terms): void {
    if (this.state.previous !== null) this.#finalize(this.state.previous);
    openNext(this.state, terms);
  }

  /** Changes the cycle that a hold was made in. */
  #changeCycleOf({ cycle: index }: Hold, change: (cycle: CycleState) => void): void {
    const { current, previous } = this.state;
    if (index === current.index) change(current);
    else if (previous?.index === index)
      reclose(this.state, previous, () => {
        change(previous);
      });
    else throw new Error("A hold has outlived its cycle.");
  }

  /** Ends holds and buckets whose time has come, in that order of time. */
  #expire(until: number): void {
    const due = [...this.state.holds].filter(([, made]) => made.on_expiry !== "stay" && made.expires_at <= until);
    for (const [id, made] of due.toSorted(([, a], [, b]) => a.expires_at - b.expires_at)) {
      this.#expireBuckets(made.expires_at);
      this.#settleHold(id, made, made.expires_at);
    }
    this.#expireBuckets(until);
  }

  /** The buckets of a balance that was cancelled are frozen. */
  #expireBuckets(until: number): void {
    const { current, ended_at } = this.state;
    if (until < (ended_at ?? Infinity)) expireBuckets(current, until);
  }

  /** Ends a hold as it was agreed; what nobody reported counts as used. */
  #settleHold(id: string, made: Hold, at: number): void {
    const used = made.on_expiry === "release" ? 0 : made.units;
    this.#settled.push({ id, used, at });
    if (used > 0) this.useHeld(made, used, 0);
    this.endHold(id);
  }

  #finalizeDue(now: number): void {
    const { state } = this;
    const { previous, current, terms } = state;
    if (previous !== null && this.#isDue(previous, current.end, now)) this.#finalize(previous);
    if (!this.isEnded || state.is_final) return;
    if (this.#isDue(current, cycleAt(terms.schedule, current.end).end, now)) this.#finish(current);
  }

  /** Whether a cycle cannot change any more: not after the next one has ended, nor after its grace if nothing is held. */
  #isDue({ index, end }: CycleState, endOfNext: number, now: number): boolean {
    if (now >= endOfNext) return true;
    const isHeld = Array.from(this.state.holds.values()).some(({ cycle }) => cycle === index);
    return now >= end + this.state.terms.grace_ms && !isHeld;
  }

  /** The frozen buckets of a balance that was cancelled are forfeited. */
  #finish(current: CycleState): void {
    this.#settleHolds(current);
    deduct(current, leftOf(current));
    this.state.is_final = true;
    this.#closed.push(toClosed(current, this.closingOf(current)));
  }

  #settleHolds({ index, end }: CycleState): void {
    for (const [id, made] of this.state.holds) if (made.cycle === index) this.#settleHold(id, made, end - 1);
  }

  #finalize(cycle: CycleState): void {
    const { state } = this;
    this.#settleHolds(cycle);
    const closing = this.closingOf(cycle);
    state.totals = addCycle(state.totals, cycle, closing);
    state.previous = null;
    this.#closed.push(toClosed(cycle, closing));
  }
}
