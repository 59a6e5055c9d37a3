/**
 * A HyperLogLog sketch of 52-bit hashes: how many different ones were added, in a fixed number of bytes.
 * The standard error is 1.04 / √(2^precision): 0.8 % at 14, 3.3 % at 10.
 */
export class HyperLogLog {
  readonly #precision: number;
  readonly #registers: Uint8Array;
  #estimate: number | undefined;
  #text: string | undefined;

  private constructor(precision: number, registers: Uint8Array) {
    this.#precision = precision;
    this.#registers = registers;
  }

  /** @param precision how many of a hash's bits choose a register, 10 to 20. */
  static empty(precision: number): HyperLogLog {
    return new HyperLogLog(precision, new Uint8Array(2 ** precision));
  }

  /** Reads what `toText` wrote; the length tells the precision. */
  static from(text: string): HyperLogLog {
    const registers = new Uint8Array(text.length);
    for (let i = 0; i < text.length; i++) registers[i] = text.charCodeAt(i) - FIRST_CHARACTER;
    const sketch = new HyperLogLog(Math.log2(text.length), registers);
    sketch.#text = text;
    return sketch;
  }

  /** @param hash a whole number below 2^52, of a uniform distribution. */
  add(hash: number): void {
    const high = Math.floor(hash / 0x1_0000_0000);
    const restBits = HIGH_BITS - this.#precision;
    const rest = high & ((1 << restBits) - 1);
    // Where the first 1 is among the bits that did not choose the register.
    const rank = rest === 0 ? restBits + Math.clz32(hash) + 1 : Math.clz32(rest) - (32 - restBits) + 1;
    this.#raise(high >>> restBits, rank);
  }

  /** Adds what another sketch of the same precision has seen. */
  merge(other: HyperLogLog): void {
    if (other.#precision !== this.#precision) throw new Error("only sketches of one precision can be merged");
    const own = this.#registers;
    const others = other.#registers;
    for (let i = 0; i < own.length; i++) own[i] = Math.max(own[i] ?? 0, others[i] ?? 0);
    this.#forget();
  }

  /** The sketch that the same hashes would have made at a lower precision. */
  fold(precision: number): HyperLogLog {
    const folded = HyperLogLog.empty(precision);
    const bits = this.#precision - precision;
    this.#registers.forEach((rank, index) => {
      if (rank === 0) return;
      const rest = index & ((1 << bits) - 1);
      folded.#raise(index >>> bits, rest === 0 ? bits + rank : Math.clz32(rest) - (32 - bits) + 1);
    });
    return folded;
  }

  #raise(index: number, rank: number): void {
    if (rank <= (this.#registers[index] ?? 0)) return;
    this.#registers[index] = rank;
    this.#forget();
  }

  #forget(): void {
    this.#estimate = undefined;
    this.#text = undefined;
  }

  /**
   * How many different hashes were added, without bias from none to 2^52: the improved raw estimator of
   * O. Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", 2017.
   */
  estimate(): number {
    this.#estimate ??= this.#computeEstimate();
    return this.#estimate;
  }

  #computeEstimate(): number {
    const rankMax = HASH_BITS - this.#precision + 1;
    const count = this.#registers.length;
    const registersByRank = new Uint32Array(rankMax + 1);
    for (const rank of this.#registers) registersByRank[rank] = (registersByRank[rank] ?? 0) + 1;
    const share = (rank: number): number => (registersByRank[rank] ?? 0) / count;
    let sum = tau(1 - share(rankMax));
    for (let rank = rankMax - 1; rank >= 1; rank--) sum = 0.5 * (sum + share(rank));
    return count / (2 * Math.LN2 * (sum + sigma(share(0))));
  }

  /** One character per register, none of which JSON escapes; equal for equal sketches. */
  toText(): string {
    this.#text ??= this.#write();
    return this.#text;
  }

  #write(): string {
    const characters = this.#registers.map((rank) => FIRST_CHARACTER + rank);
    let text = "";
    for (let at = 0; at < characters.length; at += CHUNK) {
      // Spreading a typed array takes ten times as long.
      text += Reflect.apply(String.fromCharCode, undefined, characters.subarray(at, at + CHUNK));
    }
    return text;
  }
}

const HASH_BITS = 52;
/** A hash's bits above the lower word; the precision is not greater. */
const HIGH_BITS = 20;
/** "0", for rank 0. The highest rank, 43 at a precision of 10, is "[": the last before the backslash. */
const FIRST_CHARACTER = 48;
/** How many arguments a call is given. */
const CHUNK = 4_096;

/** x + Σ x^(2^k) · 2^(k−1): what registers that nothing reached add. */
function sigma(share: number): number {
  if (share === 1) return Infinity;
  let power = share;
  let factor = 1;
  let sum = share;
  for (let before = NaN; before !== sum; factor *= 2) {
    before = sum;
    power *= power;
    sum += power * factor;
  }
  return sum;
}

/** (1 − x − Σ (1 − x^(2^−k))² · 2^(−k)) / 3: what registers that cannot rise any more take away. */
function tau(share: number): number {
  if (share === 0 || share === 1) return 0;
  let root = share;
  let factor = 1;
  let sum = 1 - share;
  for (let before = NaN; before !== sum;) {
    before = sum;
    root = Math.sqrt(root);
    factor /= 2;
    sum -= (1 - root) ** 2 * factor;
  }
  return sum / 3;
}
