/** Units that came together, and where they stand in the order in which they are used. */
interface Lot {
  readonly id: string;
  readonly kind: "base" | "carried" | "granted";
  readonly origin: number;
  /** The last cycle in which they can be used. */
  readonly lastCycle: number | null;
  readonly expiresAt: number | null;
  left: bigint;
}

/** Units of a lot, or of none. */
type Share = [lot: Lot | null, units: bigint];

/** How a cycle ends. */
export interface LedgerRules {
  readonly carryover: {
    readonly cap: { readonly units: bigint } | { readonly percent: number } | null;
    readonly expires_after: number | null;
    readonly overage: "forgive" | "debit";
  } | null;
  /** The end of the cycle so many after this one. */
  readonly endAfter: (cycles: number) => number;
}

/** What a cycle's end leaves. */
export interface LedgerEnd {
  readonly carried: readonly Lot[];
  readonly expired: bigint;
  readonly forfeited: bigint;
  readonly debt: bigint;
}

const NO_EXPIRY = Number.MAX_SAFE_INTEGER;

/** One cycle on paper: lots, and what is done with them, one thing after another. */
export class BalanceLedger {
  used = 0n;
  overage = 0n;
  credit = 0n;
  granted = 0n;
  burned = 0n;
  expired = 0n;
  forfeited = 0n;
  repaid = 0n;
  base: bigint | null = null;
  readonly #index: number;
  readonly #debt: bigint;
  readonly #lots: Lot[];
  /** What was taken of the base for good, or is held. */
  #takenOfBase = 0n;
  readonly #burns: [lot: Lot, units: bigint][] = [];
  #isChanged = false;
  #hasLost = false;
  readonly #holds = new Map<string, Share[]>();

  constructor(index: number, base: bigint | null, carried: readonly Lot[], debt: bigint) {
    this.#index = index;
    this.#debt = debt;
    this.#lots = carried.map((lot) => ({ ...lot }));
    this.setBase(base);
    this.#isChanged = false;
  }

  get left(): bigint {
    return this.#lots.reduce((sum, { left }) => sum + left, 0n);
  }

  get held(): bigint {
    return this.#sumHeld((lot) => lot !== null);
  }

  /** What is held though no lot had it. */
  get heldOfNone(): bigint {
    return this.#sumHeld((lot) => lot === null);
  }

  /** Whether the order in which things happened cannot matter: there was only usage, or nothing was used. */
  get isPlain(): boolean {
    return !this.#hasLost && this.held + this.heldOfNone === 0n && !(this.#isChanged && this.burned > 0n);
  }

  /** What could still be promised to somebody. */
  get free(): bigint {
    const free = this.left + this.credit - this.heldOfNone;
    return free < 0n ? 0n : free;
  }

  use(units: bigint): void {
    this.used += units;
    if (units < 0n) this.credit -= units;
    else this.#burn(this.#take(units));
    this.#settle();
  }

  hold(id: string, units: bigint): void {
    this.#isChanged ||= units > 0n;
    const shares = this.#holds.get(id) ?? [];
    this.#holds.set(id, shares);
    for (const [lot, taken] of this.#take(units)) {
      const known = shares.find(([other]) => other === lot);
      if (known === undefined) shares.push([lot, taken]);
      else known[1] += taken;
    }
  }

  commit(id: string, units: bigint): void {
    this.used += units;
    let open = units;
    for (const share of this.#holds.get(id) ?? []) {
      const part = least(share[1], open);
      share[1] -= part;
      open -= part;
      // What no lot had when it was held may be there by now.
      this.#burn(share[0] === null ? this.#take(part) : [[share[0], part]]);
    }
    this.#settle();
  }

  release(id: string): void {
    for (const [lot, units] of this.#holds.get(id) ?? []) if (lot !== null) this.#putBack(lot, units);
    this.#holds.delete(id);
    this.#settle();
  }

  grant(id: string, units: bigint, expiresAt: number | null): void {
    this.#isChanged = true;
    this.granted += units;
    this.#lots.push({ id, kind: "granted", origin: this.#index, lastCycle: null, expiresAt, left: units });
    this.#settle();
  }

  deduct(units: bigint): void {
    this.#hasLost ||= units > 0n;
    for (const [lot, taken] of this.#take(units)) if (lot !== null) this.forfeited += taken;
  }

  /** Debt is repaid from the base first, however the base changes. */
  setBase(base: bigint | null): void {
    this.#isChanged = true;
    this.base = base;
    if (base === null) return;
    const repaid = least(base, this.#debt);
    this.#grantOrForfeit(repaid - this.repaid);
    this.repaid = repaid;
    let lot = this.#lots.find(({ kind, origin }) => kind === "base" && origin === this.#index);
    if (lot === undefined) {
      const id = `base:${this.#index}`;
      lot = { id, kind: "base", origin: this.#index, lastCycle: null, expiresAt: null, left: 0n };
      this.#lots.push(lot);
    }
    const left = most(base - repaid - this.#takenOfBase, 0n);
    this.#grantOrForfeit(left - lot.left);
    lot.left = left;
    this.#settle();
  }

  /** Ends what has expired until `now`. */
  expire(now: number): void {
    for (const lot of this.#lots) {
      if (lot.kind !== "granted" || lot.expiresAt === null || lot.expiresAt > now) continue;
      this.#hasLost ||= lot.left > 0n;
      this.expired += lot.left;
      lot.left = 0n;
    }
  }

  forfeitAll(): void {
    this.deduct(this.left);
  }

  close({ carryover, endAfter }: LedgerRules): LedgerEnd {
    const cap = carryover?.cap ?? null;
    const last = carryover?.expires_after ?? null;
    const isNothing = cap !== null && ("units" in cap ? cap.units === 0n : cap.percent === 0);
    const isCarrying = carryover !== null && !isNothing && last !== 0;
    let expired = 0n;
    let forfeited = 0n;
    const carried: Lot[] = [];
    for (const lot of this.#lots) {
      if (lot.kind === "base") {
        if (!isCarrying) forfeited += lot.left;
        else if (last === null) carried.push({ ...lot, kind: "carried" });
        else carried.push({ ...lot, kind: "carried", lastCycle: this.#index + last, expiresAt: endAfter(last) });
      } else if (this.#isOver(lot, endAfter(0))) expired += lot.left;
      else carried.push({ ...lot });
    }
    if (cap !== null && !isNothing) {
      const kept = "units" in cap ? cap.units : ((this.base ?? 0n) * BigInt(cap.percent)) / 100n;
      const trimmable = carried.filter(({ kind }) => kind === "carried").toSorted((a, b) => a.origin - b.origin);
      // Unit by unit would be the same: as long as there are too many, the oldest go.
      for (const lot of trimmable) {
        const excess = trimmable.reduce((sum, { left }) => sum + left, -kept);
        const trimmed = least(lot.left, most(excess, 0n));
        lot.left -= trimmed;
        forfeited += trimmed;
      }
    }
    const debt = carryover?.overage === "debit" ? this.#debt - this.repaid + this.overage : 0n;
    return { carried: carried.filter(({ left }) => left > 0n), expired, forfeited, debt };
  }

  #isOver({ kind, lastCycle, expiresAt }: Lot, end: number): boolean {
    if (kind === "carried") return lastCycle !== null && lastCycle <= this.#index;
    return expiresAt !== null && expiresAt <= end;
  }

  #grantOrForfeit(change: bigint): void {
    if (change > 0n) this.granted += change;
    else this.forfeited -= change;
  }

  /** Earliest expiry, then oldest origin, then id; the base last. */
  #inOrder(): Lot[] {
    return this.#lots.toSorted(
      (a, b) =>
        Number(a.kind === "base") - Number(b.kind === "base") ||
        (a.expiresAt ?? NO_EXPIRY) - (b.expiresAt ?? NO_EXPIRY) ||
        a.origin - b.origin ||
        (a.id < b.id ? -1 : 1),
    );
  }

  #take(units: bigint): Share[] {
    const shares: Share[] = [];
    let open = units;
    for (const lot of this.#inOrder()) {
      const taken = least(lot.left, open);
      lot.left -= taken;
      open -= taken;
      if (lot.kind === "base") this.#takenOfBase += taken;
      if (taken > 0n) shares.push([lot, taken]);
    }
    return open > 0n ? [...shares, [null, open]] : shares;
  }

  #burn(shares: readonly Share[]): void {
    for (const [lot, units] of shares) {
      if (lot === null) this.overage += units;
      else {
        this.burned += units;
        this.#burns.push([lot, units]);
      }
    }
  }

  /** What comes back to a base that was lowered meanwhile is not there to be used again. */
  #putBack(lot: Lot, units: bigint): void {
    lot.left += units;
    if (lot.kind !== "base") return;
    this.#takenOfBase -= units;
    if (this.base === null) return;
    const left = most(this.base - this.repaid - this.#takenOfBase, 0n);
    if (left >= lot.left) return;
    this.forfeited += lot.left - left;
    lot.left = left;
  }

  /** Credit and what was used cancel out, newest first; then what is there pays overage. */
  #settle(): void {
    const forgiven = least(this.credit, this.overage);
    this.credit -= forgiven;
    this.overage -= forgiven;
    for (let newest = this.#burns.at(-1); newest !== undefined && this.credit > 0n; newest = this.#burns.at(-1)) {
      const returned = least(newest[1], this.credit);
      this.credit -= returned;
      this.burned -= returned;
      newest[1] -= returned;
      if (newest[1] === 0n) this.#burns.pop();
      this.#putBack(newest[0], returned);
    }
    const paid = least(this.overage, this.left);
    this.overage -= paid;
    this.#burn(this.#take(paid));
  }

  #sumHeld(counts: (lot: Lot | null) => boolean): bigint {
    return Array.from(this.#holds.values())
      .flat()
      .reduce((sum, [lot, units]) => sum + (counts(lot) ? units : 0n), 0n);
  }
}

function least(a: bigint, b: bigint): bigint {
  return a < b ? a : b;
}

function most(a: bigint, b: bigint): bigint {
  return a > b ? a : b;
}
