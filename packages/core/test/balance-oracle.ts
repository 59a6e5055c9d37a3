import type { Command, HistoryTerms, Standing } from "./balance-history.ts";
import { BalanceBook, type BookedCycle } from "./balance-book.ts";
import { boundaryAfter, boundaryAt } from "./utc-cycles.ts";

interface OracleHold {
  readonly cycle: BookedCycle;
  readonly on_expiry: "release" | "charge" | "stay";
  readonly expires_at: number;
  units: bigint;
}

/**
 * A balance as one would keep it on paper: it writes down what happens in each cycle, and answers every question
 * by doing all of it again from the first cycle on. Nothing is ever corrected. It shares no code with the product.
 */
export class BalanceOracle {
  #terms: HistoryTerms;
  readonly #book = new BalanceBook();
  readonly #holds = new Map<string, OracleHold>();
  #ahead: bigint | null = null;
  #endedAt: number | null = null;

  constructor(terms: HistoryTerms, now: number) {
    this.#terms = terms;
    let index = 0;
    while (boundaryAt(terms.interval, terms.anchor, index + 1) <= now) index++;
    this.#open(boundaryAt(terms.interval, terms.anchor, index));
  }

  /** Does what a command says, if that can be done. @returns what came of it. */
  run(command: Command): string {
    this.#advance(command.at);
    const outcome = this.#do(command);
    this.#advance(command.at);
    return outcome;
  }

  /** See `BalanceBook`. */
  get isTangled(): boolean {
    return this.#book.isTangled;
  }

  standing(): Standing {
    const { ledger, ...totals } = this.#book.read();
    const holds = Array.from(this.#holds.values()).filter(({ cycle }) => cycle === this.#current);
    return {
      ...totals,
      used: ledger.used,
      limit: ledger.base === null ? null : ledger.base - ledger.repaid,
      remaining: ledger.base === null ? null : this.#endedAt === null ? ledger.free : 0n,
      reserved: holds.reduce((total, { units }) => total + units, 0n),
      overage: ledger.base === null ? 0n : ledger.overage,
    };
  }

  get #current(): BookedCycle {
    return this.#book.current;
  }

  #do(command: Command): string {
    const current = this.#current;
    const isEnded = this.#endedAt !== null;
    switch (command.kind) {
      case "look":
        return "";
      case "consume":
        if (!this.#admits(command.units)) return "denied";
        this.#book.add(current, (ledger) => ledger.use(command.units));
        return "admitted";
      case "fact":
        return this.#fact(command.units, command.instant);
      case "hold":
        if (this.#holds.has(command.id) || !this.#admits(command.units)) return "denied";
        this.#holds.set(command.id, { ...command, cycle: current });
        this.#book.add(current, (ledger) => ledger.hold(command.id, command.units));
        return "admitted";
      case "extend": {
        const hold = this.#holds.get(command.id);
        if (hold?.cycle !== current || !this.#admits(command.units)) return "denied";
        hold.units += command.units;
        this.#book.add(current, (ledger) => ledger.hold(command.id, command.units));
        return "admitted";
      }
      case "commit": {
        const hold = this.#holds.get(command.id);
        if (hold === undefined) return "unknown";
        return `committed ${this.#commit(command.id, hold, command.units)}`;
      }
      case "release": {
        const hold = this.#holds.get(command.id);
        if (hold === undefined) return "unknown";
        this.#release(command.id, hold);
        return "released";
      }
      case "grant":
        if (isEnded) return "denied";
        this.#book.add(current, (ledger) => ledger.grant(command.id, command.units, command.expires_at));
        return "granted";
      case "deduct":
        if (isEnded || command.units > this.#book.read().ledger.left) return "denied";
        this.#book.add(current, (ledger) => ledger.deduct(command.units));
        return "deducted";
      case "change":
        if (isEnded) return "denied";
        this.#change(command.base, command.mode, command.at);
        return "changed";
      case "end":
        if (isEnded) return "denied";
        this.#endedAt = command.at;
        current.end = command.at;
        return "ended";
    }
  }

  #admits(units: bigint): boolean {
    if (this.#endedAt !== null) return false;
    if (this.#terms.enforcement !== "hard" || units <= 0n) return true;
    const { ledger } = this.#book.read();
    return ledger.base === null || units <= ledger.free;
  }

  #fact(units: bigint, instant: number): string {
    const current = this.#current;
    if (current.isFinal || instant >= (this.#endedAt ?? Infinity)) return "ignored";
    if (instant >= current.end) {
      this.#ahead = (this.#ahead ?? 0n) + units;
      return "counted";
    }
    const its = this.#book.cycles.findLast(({ start }) => start <= instant);
    if (its === undefined) return "ignored";
    const counting = its.isFinal ? current : its;
    if (its.isFinal && this.#terms.late === "reject") return "rejected";
    this.#book.add(counting, (ledger) => ledger.use(units));
    return its === current ? "counted" : "late";
  }

  #commit(id: string, hold: OracleHold, units: bigint): bigint {
    const used = units < hold.units ? units : hold.units;
    hold.units -= used;
    this.#book.add(hold.cycle, (ledger) => ledger.commit(id, used));
    return used;
  }

  #release(id: string, hold: OracleHold): void {
    this.#holds.delete(id);
    this.#book.add(hold.cycle, (ledger) => ledger.release(id));
  }

  #change(base: bigint | null, mode: "keep" | "prorate" | "restart", at: number): void {
    const cycle = this.#current;
    const before = this.#terms.base;
    if (mode === "restart") {
      cycle.end = at;
      this.#roll({ ...this.#terms, base });
      return;
    }
    this.#terms = { ...this.#terms, base };
    if (base === before) return;
    let now = base;
    if (mode === "prorate" && before !== null && base !== null && cycle.base !== null) {
      const length = BigInt(cycle.end - cycle.start);
      const elapsed = BigInt(at - cycle.start);
      now = cycle.base - before + (before * elapsed + base * (length - elapsed)) / length;
      if (now < 0n) now = 0n;
    }
    cycle.base = now;
    this.#book.add(cycle, (ledger) => ledger.setBase(now));
  }

  /** Lets time pass, from one thing that happens by itself to the next. */
  #advance(now: number): void {
    for (;;) {
      const { end } = this.#current;
      this.#pass(this.#endedAt === null ? Math.min(now, end) : now);
      if (this.#endedAt !== null || now < end) break;
      this.#roll(this.#terms);
    }
    const previous = this.#book.cycles.at(-2);
    if (previous !== undefined && this.#isDue(previous, now, this.#current.end)) this.#finalize(previous);
    const ended = this.#current;
    if (this.#endedAt === null || ended.isFinal) return;
    if (!this.#isDue(ended, now, boundaryAfter(this.#terms.interval, this.#terms.anchor, ended.end))) return;
    this.#finalize(ended);
    this.#book.add(ended, (ledger) => ledger.forfeitAll());
  }

  #pass(until: number): void {
    const due = [...this.#holds].filter(([, hold]) => hold.on_expiry !== "stay" && hold.expires_at <= until);
    for (const [id, hold] of due.toSorted(([, a], [, b]) => a.expires_at - b.expires_at)) {
      this.#expire(hold.expires_at);
      if (hold.on_expiry === "charge") this.#commit(id, hold, hold.units);
      this.#release(id, hold);
    }
    this.#expire(until);
  }

  #expire(until: number): void {
    if (this.#endedAt !== null && until >= this.#endedAt) return;
    this.#book.add(this.#current, (ledger) => ledger.expire(until));
  }

  #isDue(cycle: BookedCycle, now: number, endOfNext: number): boolean {
    const isHeld = Array.from(this.#holds.values()).some((hold) => hold.cycle === cycle);
    return !cycle.isFinal && (now >= endOfNext || (now >= cycle.end + this.#terms.grace_ms && !isHeld));
  }

  /** What nobody reported until now counts as used. */
  #finalize(cycle: BookedCycle): void {
    cycle.isFinal = true;
    for (const [id, hold] of this.#holds) {
      if (hold.cycle !== cycle) continue;
      if (hold.on_expiry !== "release") this.#commit(id, hold, hold.units);
      this.#release(id, hold);
    }
  }

  #roll(terms: HistoryTerms): void {
    const previous = this.#book.cycles.at(-2);
    if (previous?.isFinal === false) this.#finalize(previous);
    this.#current.closing = this.#terms;
    this.#terms = terms;
    this.#open(this.#current.end);
  }

  #open(start: number): void {
    const { interval, anchor, base } = this.#terms;
    const end = boundaryAfter(interval, anchor, start);
    const cycle: BookedCycle = { start, end, opening: this.#terms, closing: null, base, effects: [], isFinal: false };
    this.#book.cycles.push(cycle);
    const ahead = this.#ahead;
    this.#ahead = null;
    if (ahead === null) return;
    this.#book.add(cycle, (ledger) => ledger.use(ahead));
  }
}
