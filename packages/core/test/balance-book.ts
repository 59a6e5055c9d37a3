import type { HistoryTerms, Standing } from "./balance-history.ts";
import { BalanceLedger, type LedgerEnd } from "./balance-ledger.ts";
import { boundaryAfter } from "./utc-cycles.ts";

/** One cycle as it was written down. */
export interface BookedCycle {
  readonly start: number;
  end: number;
  /** What it began with. */
  readonly opening: HistoryTerms;
  /** What it was closed by; `null` while it is open. */
  closing: HistoryTerms | null;
  /** What it grants, after the changes so far. */
  base: bigint | null;
  /** All that happened in it. What comes late is added at the end of this list, and that is all there is to it. */
  readonly effects: Effect[];
  isFinal: boolean;
}

type Effect = (ledger: BalanceLedger) => void;

interface ClosedLedger {
  readonly ledger: BalanceLedger;
  /** Of the last cycle there is none yet. */
  readonly end: LedgerEnd | null;
}

type Totals = Pick<Standing, "granted" | "burned" | "expired" | "forfeited" | "repaid" | "held">;

/** What happened, cycle by cycle. Whoever wants to know what it came to reads all of it from the first page on. */
export class BalanceBook {
  readonly cycles: BookedCycle[] = [];
  /**
   * Whether something late changed what the last cycle begins with when more than usage had happened in it. A book
   * that is read again tells then which lot each use would have been taken from; a balance that keeps no book cannot
   * know in which order uses, reservations, grants and changes had followed each other.
   */
  isTangled = false;

  get current(): BookedCycle {
    return lastOf(this.cycles);
  }

  add(cycle: BookedCycle, effect: Effect): void {
    const isLate = cycle !== this.current;
    const before = isLate ? this.#replay() : [];
    cycle.effects.push(effect);
    if (!isLate || this.isTangled) return;
    const after = this.#replay();
    const index = this.cycles.indexOf(cycle);
    const isPlain = lastOf(before).ledger.isPlain && lastOf(after).ledger.isPlain;
    this.isTangled = !isPlain && saidOf(before[index]) !== saidOf(after[index]);
  }

  /** What all of it came to, with the ledger of the last cycle. */
  read(): Totals & { readonly ledger: BalanceLedger } {
    const cycles = this.#replay();
    const { ledger } = lastOf(cycles);
    const sum = (of: (cycle: ClosedLedger) => bigint): bigint => cycles.reduce((total, each) => total + of(each), 0n);
    return {
      ledger,
      granted: sum((each) => each.ledger.granted),
      burned: sum((each) => each.ledger.burned),
      expired: sum((each) => each.ledger.expired + (each.end?.expired ?? 0n)),
      forfeited: sum((each) => each.ledger.forfeited + (each.end?.forfeited ?? 0n)),
      repaid: sum((each) => each.ledger.repaid),
      held: ledger.left + sum((each) => each.ledger.held),
    };
  }

  #replay(): ClosedLedger[] {
    const replayed: ClosedLedger[] = [];
    let end: LedgerEnd | null = null;
    for (const [index, cycle] of this.cycles.entries()) {
      const ledger: BalanceLedger = new BalanceLedger(index, cycle.opening.base, end?.carried ?? [], end?.debt ?? 0n);
      for (const effect of cycle.effects) effect(ledger);
      end = cycle.closing === null ? null : ledger.close({ ...cycle.closing, endAfter: endsAfter(cycle) });
      replayed.push({ ledger, end });
    }
    return replayed;
  }
}

/** What a cycle hands to the next, to compare. */
function saidOf(closed: ClosedLedger | undefined): string {
  const carried = closed?.end?.carried.map(({ id, left }) => `${id}=${left}`) ?? [];
  return [closed?.end?.debt, ...carried].join(" ");
}

function lastOf<T>(list: readonly T[]): T {
  const last = list.at(-1);
  if (last === undefined) throw new Error("A book has a cycle from its beginning.");
  return last;
}

/** The end of the cycle so many after one, as the schedule had it when the one began. */
function endsAfter({ start, end, opening: { interval, anchor } }: BookedCycle): (cycles: number) => number {
  return (cycles) => {
    if (cycles === 0) return end;
    let boundary = boundaryAfter(interval, anchor, start);
    for (let i = 0; i < cycles; i++) boundary = boundaryAfter(interval, anchor, boundary);
    return boundary;
  };
}
