/**
 * Fingerprints: what a meter remembers of an event so that it is counted once.
 *
 * Three 32-bit words: 64 bits of the id, 32 of the content. Two ids of one customer that share all 64
 * bits would look like one event; among 20 million ids the chance of a single such pair is 1 in
 * 90,000, and the content word makes it show as a conflict instead of vanishing.
 *
 * The mixing is MurmurHash3's (Austin Appleby, public domain), over UTF-16 code units.
 */
export const FINGERPRINT_WORDS = 3;

function rotl(x: number, r: number): number {
  return (x << r) | (x >>> (32 - r));
}

function finalMix(hash: number): number {
  let h = hash;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}

/** A 32-bit hash of a text. */
export function hash32(text: string, seed: number): number {
  let h = seed | 0;
  const length = text.length;
  for (let i = 0; i < length; i += 2) {
    let k = text.charCodeAt(i);
    if (i + 1 < length) k |= text.charCodeAt(i + 1) << 16;
    k = Math.imul(rotl(Math.imul(k, 0xcc9e2d51), 15), 0x1b873593);
    h = (Math.imul(rotl(h ^ k, 13), 5) + 0xe6546b64) | 0;
  }
  return finalMix(h ^ length);
}

/** Writes the two words of an id's 64-bit hash to `out[at]` and `out[at + 1]`; never both zero. */
export function hashId(id: string, out: Uint32Array | number[], at: number): void {
  let h1 = 0x9747b28c;
  let h2 = 0x3c6ef372;
  const length = id.length;
  for (let i = 0; i < length; i += 2) {
    let k = id.charCodeAt(i);
    if (i + 1 < length) k |= id.charCodeAt(i + 1) << 16;
    h1 = (Math.imul(rotl(h1 ^ Math.imul(rotl(Math.imul(k, 0x239b961b), 15), 0xab0e9789), 19), 5) + 0x561ccd1b) | 0;
    h2 = (Math.imul(rotl(h2 ^ Math.imul(rotl(Math.imul(k, 0x38b34ae5), 17), 0xa1e38b93), 13), 5) + 0x32ac3b17 + h1) | 0;
  }
  h1 = (h1 ^ length) | 0;
  h2 = (h2 ^ length) | 0;
  h1 = (h1 + h2) | 0;
  h2 = (h2 + h1) | 0;
  const low = finalMix(h1);
  const high = finalMix(h2);
  out[at] = low === 0 && high === 0 ? 1 : low;
  out[at + 1] = high;
}

const float = new Float64Array(1);
const floatWords = new Uint32Array(float.buffer);

/** A 32-bit hash of a number's bits. */
function hashNumber(value: number, seed: number): number {
  // One zero: JSON keeps the sign of -0 on the way in, and loses it when it is written again.
  float[0] = value === 0 ? 0 : value;
  return finalMix(
    Math.imul((floatWords[0] ?? 0) ^ seed, 0x85ebca6b) + Math.imul((floatWords[1] ?? 0) ^ 0x1b873593, 0xc2b2ae35),
  );
}

/** The parts of an event that make its content: the same words in any order of properties. */
export interface Content {
  readonly event: string;
  /** When the client said it happened; absent when the server stamped it. */
  readonly timestamp?: string | number | undefined;
  readonly properties?: Readonly<Record<string, unknown>> | undefined;
}

/** A 32-bit hash of what an event says, independent of the order of its properties. */
export function hashContent(content: Content): number {
  let sum = hash32(content.event, 1);
  if (typeof content.timestamp === "number") sum += hashNumber(content.timestamp, 2);
  else if (content.timestamp !== undefined) sum += hash32(content.timestamp, 2);
  const properties = content.properties;
  if (properties !== undefined) {
    for (const key in properties) {
      const value = properties[key];
      const seed = hash32(key, 3);
      if (typeof value === "number") sum += hashNumber(value, seed);
      else if (typeof value === "string") sum += hash32(value, seed);
      else sum += hash32(JSON.stringify(value), seed ^ 0x5bd1e995);
    }
  }
  return finalMix(sum | 0);
}
