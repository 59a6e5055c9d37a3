import fc from "fast-check";
import { expect, test } from "vitest";
import { HyperLogLog } from "./hyperloglog.ts";
import { hash52 } from "./metric.ts";

function sketchOf(hashes: readonly number[], precision = 14): HyperLogLog {
  const sketch = HyperLogLog.empty(precision);
  for (const hash of hashes) sketch.add(hash);
  return sketch;
}

const hash = fc.maxSafeNat().map((value) => value % 2 ** 52);
const edge = fc.constantFrom(0, 1, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 38 - 1, 2 ** 38, 2 ** 51, 2 ** 52 - 1);
const hashes = fc.array(fc.oneof(hash, edge), { maxLength: 300 });

/** The same registers, computed with bits as text. */
function ranksOf(added: readonly number[], precision: number): Map<number, number> {
  const ranks = new Map<number, number>();
  for (const value of added) {
    const bits = value.toString(2).padStart(52, "0");
    const index = Number.parseInt(bits.slice(0, precision), 2);
    const rest = bits.slice(precision);
    const rank = (rest.includes("1") ? rest.indexOf("1") : rest.length) + 1;
    ranks.set(index, Math.max(ranks.get(index) ?? 0, rank));
  }
  return ranks;
}

test("a register holds where the first 1 of the remaining bits is, at most", () => {
  fc.assert(
    fc.property(hashes, fc.constantFrom(10, 14, 20), (added, precision) => {
      const text = sketchOf(added, precision).toText();
      const registers = new Map<number, number>();
      for (let i = 0; i < text.length; i++) if (text[i] !== "0") registers.set(i, text.charCodeAt(i) - 48);
      expect(registers).toEqual(ranksOf(added, precision));
    }),
    { numRuns: 50 },
  );
});

test("a sketch survives its text, which JSON does not escape", () => {
  fc.assert(
    fc.property(hashes, fc.constantFrom(10, 14), (added, precision) => {
      const text = sketchOf(added, precision).toText();
      expect(HyperLogLog.from(text).toText()).toBe(text);
      expect(HyperLogLog.from(text).estimate()).toBe(sketchOf(added, precision).estimate());
      expect(JSON.stringify(text)).toHaveLength(2 ** precision + 2);
    }),
    { numRuns: 50 },
  );
});

test("a folded sketch is the one that the lower precision would have made", () => {
  fc.assert(
    fc.property(hashes, fc.constantFrom(10, 12, 14), (added, precision) => {
      expect(sketchOf(added).fold(precision).toText()).toBe(sketchOf(added, precision).toText());
    }),
    { numRuns: 100 },
  );
});

test("merging is a union, in any order", () => {
  fc.assert(
    fc.property(hashes, hashes, (a, b) => {
      const both = sketchOf(a);
      both.merge(sketchOf(b));
      const reversed = sketchOf(b);
      reversed.merge(sketchOf(a));
      expect(both.toText()).toBe(sketchOf([...b, ...a]).toText());
      expect(reversed.toText()).toBe(both.toText());
    }),
    { numRuns: 50 },
  );
  expect(() => {
    HyperLogLog.empty(14).merge(HyperLogLog.empty(10));
  }).toThrow("one precision");
});

test("an estimate knows what was added after it was asked for", () => {
  const sketch = HyperLogLog.empty(14);
  expect(sketch.estimate()).toBe(0);
  sketch.add(hash52("a"));
  expect(Math.round(sketch.estimate())).toBe(1);
  expect(Math.round(HyperLogLog.from(sketch.toText()).estimate())).toBe(1);
});

test.each([
  [14, 0.0081],
  [10, 0.0325],
])(
  "estimates at precision %i err by the standard error and are not biased, however many there are",
  (precision, standard) => {
    const sizes = [10, 100, 1_000, 5_000, 20_000, 50_000, 100_000];
    const seeds = 20;
    const errors = new Map(sizes.map((size) => [size, [] as number[]]));
    for (let seed = 0; seed < seeds; seed++) {
      const sketch = HyperLogLog.empty(precision);
      for (let i = 1; i <= 100_000; i++) {
        sketch.add(hash52(`${seed}/${i}`));
        errors.get(i)?.push(sketch.estimate() / i - 1);
      }
    }
    for (const own of errors.values()) {
      const bias = own.reduce((sum, error) => sum + error, 0) / seeds;
      const spread = Math.sqrt(own.reduce((sum, error) => sum + error ** 2, 0) / seeds);
      expect(Math.abs(bias)).toBeLessThan((3.5 * standard) / Math.sqrt(seeds));
      expect(spread).toBeLessThan(1.6 * standard);
    }
  },
);

test("registers that are full do not break an estimate", () => {
  const full = HyperLogLog.from("[".repeat(1_024));
  expect(full.estimate()).toBe(Infinity);
  const nearly = HyperLogLog.from(`${"[".repeat(1_023)}Z`);
  expect(nearly.estimate()).toBeGreaterThan(2 ** 50);
});
