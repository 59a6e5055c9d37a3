import { FINGERPRINT_WORDS } from "./fingerprint.ts";

/** What a look-up answers when the id is not there; a content hash is never negative. */
export const ABSENT = -1;

const SMALLEST = 64;

/**
 * Fingerprints in memory: an open-addressed table that begins small, because an isolate holds many
 * customers, and doubles when two thirds are taken.
 */
export class FingerprintSet {
  #words = new Uint32Array(SMALLEST * FINGERPRINT_WORDS);
  #capacity = SMALLEST;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The content hash kept for an id, or `ABSENT`. */
  find(low: number, high: number): number {
    const at = this.#slot(low, high);
    const words = this.#words;
    return words[at] === low && words[at + 1] === high ? (words[at + 2] ?? ABSENT) : ABSENT;
  }

  /** Keeps an id that `find` did not know. */
  add(low: number, high: number, content: number): void {
    if (this.#size * 3 >= this.#capacity * 2) this.#grow();
    const at = this.#slot(low, high);
    this.#words[at] = low;
    this.#words[at + 1] = high;
    this.#words[at + 2] = content;
    this.#size++;
  }

  /** Keeps all of a list of records. */
  addAll(records: Uint32Array): void {
    for (let i = 0; i < records.length; i += FINGERPRINT_WORDS) {
      this.add(records[i] ?? 0, records[i + 1] ?? 0, records[i + 2] ?? 0);
    }
  }

  /** Where the id stands, or the empty place where it would. An id's words are never both zero. */
  #slot(low: number, high: number): number {
    const words = this.#words;
    const mask = this.#capacity - 1;
    let index = low & mask;
    for (;;) {
      const at = index * FINGERPRINT_WORDS;
      const l = words[at];
      const h = words[at + 1];
      if ((l === low && h === high) || (l === 0 && h === 0)) return at;
      index = (index + 1) & mask;
    }
  }

  #grow(): void {
    const old = this.#words;
    this.#capacity *= 2;
    this.#words = new Uint32Array(this.#capacity * FINGERPRINT_WORDS);
    this.#size = 0;
    for (let i = 0; i < old.length; i += FINGERPRINT_WORDS) {
      const low = old[i] ?? 0;
      const high = old[i + 1] ?? 0;
      if (low !== 0 || high !== 0) this.add(low, high, old[i + 2] ?? 0);
    }
  }
}
