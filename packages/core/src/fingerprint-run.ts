import { FINGERPRINT_WORDS } from "./fingerprint.ts";
import { ABSENT } from "./fingerprint-set.ts";

/**
 * Fingerprints on disk. Four runs of a level are merged into one of the next. A run of level L is sorted
 * and cut into 2·4^L parts by the leading bits of the high word, so that a part holds some 4,096 records
 * whatever the level. Beside each part stands a Bloom filter: an id that is new, as nearly all are, is
 * told apart without reading the part.
 */
export const FANOUT = 4;

/** Leading bits of the high word that name a part of a run of this level; level 0 has one part. */
export function partBits(level: number): number {
  return level === 0 ? 0 : 2 * level + 1;
}

/** Records sorted by high word, then low. `prefixBits` leading bits of the high words are known to be equal. */
export function sortRecords(records: Uint32Array, prefixBits: number): Uint32Array {
  const count = records.length / FINGERPRINT_WORDS;
  const bits = Math.min(16, Math.max(4, Math.ceil(Math.log2(count + 1))));
  const starts = new Uint32Array((1 << bits) + 1);
  const bucketOf = (i: number): number => ((records[i * FINGERPRINT_WORDS + 1] ?? 0) << prefixBits) >>> (32 - bits);
  for (let i = 0; i < count; i++) {
    const next = bucketOf(i) + 1;
    starts[next] = (starts[next] ?? 0) + 1;
  }
  for (let b = 1; b < starts.length; b++) starts[b] = (starts[b] ?? 0) + (starts[b - 1] ?? 0);
  const sorted = new Uint32Array(records.length);
  const filled = starts.slice();
  for (let i = 0; i < count; i++) {
    const bucket = bucketOf(i);
    const start = starts[bucket] ?? 0;
    let to = filled[bucket] ?? 0;
    filled[bucket] = to + 1;
    // Buckets hold one or two records, so inserting in place is the quickest way to order them.
    while (to > start && isGreater(sorted, to - 1, records, i)) {
      sorted.copyWithin(to * FINGERPRINT_WORDS, (to - 1) * FINGERPRINT_WORDS, to * FINGERPRINT_WORDS);
      to--;
    }
    for (let w = 0; w < FINGERPRINT_WORDS; w++)
      sorted[to * FINGERPRINT_WORDS + w] = records[i * FINGERPRINT_WORDS + w] ?? 0;
  }
  return sorted;
}

function isGreater(a: Uint32Array, i: number, b: Uint32Array, j: number): boolean {
  const highA = a[i * FINGERPRINT_WORDS + 1] ?? 0;
  const highB = b[j * FINGERPRINT_WORDS + 1] ?? 0;
  if (highA !== highB) return highA > highB;
  return (a[i * FINGERPRINT_WORDS] ?? 0) > (b[j * FINGERPRINT_WORDS] ?? 0);
}

/** The part of a run of this level in which an id with this high word lies. */
export function partOf(high: number, level: number): number {
  return level === 0 ? 0 : high >>> (32 - partBits(level));
}

/** Cuts sorted records into the parts of a level; parts without records are left out. */
export function* cutIntoParts(
  sorted: Uint32Array,
  level: number,
): Generator<{ readonly part: number; readonly records: Uint32Array }> {
  let from = 0;
  while (from < sorted.length) {
    const part = partOf(sorted[from + 1] ?? 0, level);
    let to = from;
    while (to < sorted.length && partOf(sorted[to + 1] ?? 0, level) === part) to += FINGERPRINT_WORDS;
    yield { part, records: sorted.slice(from, to) };
    from = to;
  }
}

/** The content hash kept for an id in sorted records, or `ABSENT`. */
export function findSorted(sorted: Uint32Array, low: number, high: number): number {
  let from = 0;
  let to = sorted.length / FINGERPRINT_WORDS;
  while (from < to) {
    const middle = (from + to) >>> 1;
    const at = middle * FINGERPRINT_WORDS;
    const h = sorted[at + 1] ?? 0;
    const l = sorted[at] ?? 0;
    if (h === high && l === low) return sorted[at + 2] ?? ABSENT;
    if (h < high || (h === high && l < low)) from = middle + 1;
    else to = middle;
  }
  return ABSENT;
}

/** 20 bits and 8 probes a record: one false answer in some 7,000. */
const FILTER_BITS_PER_RECORD = 20;
const FILTER_PROBES = 8;

/** A Bloom filter over records. */
export function buildFilter(records: Uint32Array): Uint8Array {
  const count = records.length / FINGERPRINT_WORDS;
  const filter = new Uint8Array(Math.max(8, Math.ceil((count * FILTER_BITS_PER_RECORD) / 8)));
  const scale = scaleOf(filter);
  for (let i = 0; i < records.length; i += FINGERPRINT_WORDS) {
    let probe = records[i] ?? 0;
    const step = stepOf(records[i + 1] ?? 0);
    for (let k = 0; k < FILTER_PROBES; k++) {
      const bit = Math.floor(probe * scale);
      filter[bit >>> 3] = (filter[bit >>> 3] ?? 0) | (1 << (bit & 7));
      probe = (probe + step) >>> 0;
    }
  }
  return filter;
}

/** False: the id is not among the records. True: it probably is. */
export function mayContain(filter: Uint8Array, low: number, high: number): boolean {
  const scale = scaleOf(filter);
  const step = stepOf(high);
  let probe = low;
  for (let k = 0; k < FILTER_PROBES; k++) {
    const bit = Math.floor(probe * scale);
    if (((filter[bit >>> 3] ?? 0) & (1 << (bit & 7))) === 0) return false;
    probe = (probe + step) >>> 0;
  }
  return true;
}

/** Takes a 32-bit word to a bit of the filter, without a division. */
function scaleOf(filter: Uint8Array): number {
  return (filter.length * 8) / 2 ** 32;
}

/** An odd stride from the high word, whose leading bits are the same within a part. */
function stepOf(high: number): number {
  return (Math.imul(high, 0x9e3779b1) | 1) >>> 0;
}
