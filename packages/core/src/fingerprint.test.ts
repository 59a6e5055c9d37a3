import fc from "fast-check";
import { expect, test } from "vitest";
import { hashContent, hashId } from "./fingerprint.ts";
import { buildFilter, cutIntoParts, findSorted, mayContain, partOf, sortRecords } from "./fingerprint-run.ts";
import { ABSENT, FingerprintSet } from "./fingerprint-set.ts";

function words(id: string): [number, number] {
  const out = [0, 0];
  hashId(id, out, 0);
  return [out[0] ?? 0, out[1] ?? 0];
}

test("a million ids that count up have a million fingerprints", () => {
  const seen = new Set<bigint>();
  for (let i = 0; i < 1_000_000; i++) {
    const [low, high] = words(`req-${i}`);
    seen.add((BigInt(high) << 32n) | BigInt(low));
  }
  expect(seen.size).toBe(1_000_000);
});

test("both words of short and structured ids spread evenly", () => {
  const buckets = [new Uint32Array(256), new Uint32Array(256), new Uint32Array(256)];
  const count = 256 * 400;
  for (let i = 0; i < count; i++) {
    const [low, high] = words(i.toString(16));
    for (const [bucket, value] of [low & 255, high & 255, high >>> 24].entries()) {
      const counts = buckets[bucket];
      if (counts !== undefined) counts[value] = (counts[value] ?? 0) + 1;
    }
  }
  for (const counts of buckets) {
    const chi = counts.reduce((sum, n) => sum + (n - 400) ** 2 / 400, 0);
    // 255 degrees of freedom: the mean is 255, and 380 is passed once in ten million.
    expect(chi).toBeLessThan(380);
  }
});

test("content is the same in any order of properties, and differs with any of its parts", () => {
  const base = { event: "call", timestamp: 1, properties: { a: 1, b: "x", c: { d: [1] } } };
  const hash = hashContent(base);
  expect(hashContent({ ...base, properties: { c: { d: [1] }, b: "x", a: 1 } })).toBe(hash);
  const others = [
    { ...base, event: "calls" },
    { ...base, timestamp: 2 },
    { event: "call", properties: base.properties },
    { ...base, properties: { ...base.properties, a: 2 } },
    { ...base, properties: { ...base.properties, a: "1" } },
    { ...base, properties: { a: "x", b: 1, c: { d: [1] } } },
    { ...base, properties: { a: 1, b: "x" } },
    { event: "call", timestamp: 1 },
  ];
  expect(new Set([hash, ...others.map(hashContent)]).size).toBe(others.length + 1);
});

const word = fc.integer({ min: 0, max: 0xffffffff });
const record = fc.tuple(word, word, word).filter(([low, high]) => low !== 0 || high !== 0);
const distinct = fc.uniqueArray(record, { selector: ([low, high]) => `${low}:${high}`, maxLength: 300 });

test("a set finds what was added, and only that", () => {
  fc.assert(
    fc.property(distinct, distinct, (kept, asked) => {
      const set = new FingerprintSet();
      for (const [low, high, content] of kept) set.add(low, high, content);
      const model = new Map(kept.map(([low, high, content]) => [`${low}:${high}`, content]));
      expect(set.size).toBe(kept.length);
      for (const [low, high] of [...kept, ...asked])
        expect(set.find(low, high)).toBe(model.get(`${low}:${high}`) ?? ABSENT);
    }),
  );
});

test("sorted parts hold every record where a look-up expects it, and filters never deny one", () => {
  fc.assert(
    fc.property(distinct, fc.integer({ min: 0, max: 3 }), (records, level) => {
      const sorted = sortRecords(Uint32Array.from(records.flat()), 0);
      const parts = new Map(Array.from(cutIntoParts(sorted, level), (cut) => [cut.part, cut.records]));
      for (const [low, high, content] of records) {
        const part = parts.get(partOf(high, level)) ?? new Uint32Array();
        expect(findSorted(part, low, high)).toBe(content);
        expect(mayContain(buildFilter(part), low, high)).toBe(true);
      }
      expect([...parts.values()].reduce((sum, part) => sum + part.length, 0)).toBe(records.length * 3);
    }),
  );
});

test("sorting within a common prefix orders the records", () => {
  const records = Uint32Array.from({ length: 3_000 }, (_, i) =>
    i % 3 === 1 ? (0xa0000000 | (Math.imul(i, 2654435761) >>> 4)) >>> 0 : Math.imul(i + 1, 2246822519) >>> 0,
  );
  const sorted = sortRecords(records, 3);
  for (let i = 3; i < sorted.length; i += 3) expect(sorted[i + 1]).toBeGreaterThanOrEqual(sorted[i - 2] ?? 0);
});

test("a filter takes one stranger in two thousand at most", () => {
  const records = new Uint32Array(4_096 * 3);
  for (let i = 0; i < 4_096; i++) hashId(`kept-${i}`, records, i * 3);
  const filter = buildFilter(records);
  let wrong = 0;
  for (let i = 0; i < 100_000; i++) if (mayContain(filter, ...words(`other-${i}`))) wrong++;
  expect(wrong).toBeLessThan(50);
});
