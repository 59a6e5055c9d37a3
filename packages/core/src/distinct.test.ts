import fc from "fast-check";
import { expect, test } from "vitest";
import { DISTINCT_EXACT_MAX, DISTINCT_UNION_EXACT_MAX, DistinctDay, DistinctUnion } from "./distinct.ts";
import { hash52 } from "./metric.ts";
import type { DistinctIds } from "./usage-day.ts";

type Seen = readonly [hash: number, hour: number];

function dayOf(seen: Iterable<Seen>): DistinctDay {
  const day = DistinctDay.empty();
  for (const [hash, hour] of seen) day.add(hash, hour);
  return day;
}

/** Ids with numbers from one to before another, spread over the hours. */
function range(prefix: string, from: number, to: number): Seen[] {
  return Array.from({ length: to - from }, (_, i) => [hash52(`${prefix}${from + i}`), (from + i) % 24]);
}

function countOf(parts: readonly (readonly [DistinctIds, number | null])[]): { value: number; approximate: boolean } {
  const union = new DistinctUnion();
  for (const [ids, hours] of parts) union.add(ids, hours);
  const { value, approximate } = union.count();
  return { value: Number(value), approximate };
}

/** Numbers that look random and are the same in every run. */
function shuffled<Item>(items: readonly Item[], seed: number): Item[] {
  return items
    .map((item, index) => [hash52(`${seed}:${index}`), item] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([, item]) => item);
}

const hash = fc.integer({ min: 0, max: 40 }).map((n) => hash52(String(n)));
const seen = fc.array(fc.tuple(hash, fc.integer({ min: 0, max: 23 })), { maxLength: 100 });

test("a day below the cap knows each id once, with its hours", () => {
  fc.assert(
    fc.property(seen, (added) => {
      const day = dayOf(added);
      const hours = new Map<number, number>();
      for (const [id, hour] of added) hours.set(id, (hours.get(id) ?? 0) | (1 << hour));
      expect(day.size).toBe(hours.size);
      expect(day.isExact).toBe(true);
      expect(day.toStored()).toEqual({ ids: [...hours].toSorted(([a], [b]) => a - b).flat() });
    }),
  );
});

test("what is stored depends neither on the order nor on repetition, on both sides of the cap", () => {
  for (const count of [DISTINCT_EXACT_MAX - 1, DISTINCT_EXACT_MAX, DISTINCT_EXACT_MAX + 1, 5_000]) {
    const added = range("id", 0, count).flatMap(([id, hour]): Seen[] => [
      [id, hour],
      [id, (hour * 7) % 24],
    ]);
    const text = JSON.stringify(dayOf(added).toStored());
    for (let seed = 0; seed < 3; seed++) {
      const other = dayOf([...shuffled(added, seed), ...shuffled(added, seed + 10)]);
      expect(other.isExact).toBe(count <= DISTINCT_EXACT_MAX);
      expect(JSON.stringify(other.toStored())).toBe(text);
    }
  }
});

test("a stored day goes on as if it had never been stored", () => {
  for (const cut of [0, 1, 1_999, 2_000, 2_001, 3_000]) {
    const added = range("id", 0, 4_000);
    const day = dayOf(added.slice(0, cut));
    const resumed = DistinctDay.from(day.toStored());
    expect(resumed.size).toBe(day.size);
    for (const [id, hour] of added.slice(cut)) resumed.add(id, hour);
    expect(resumed.toStored()).toEqual(dayOf(added).toStored());
  }
});

test("a day with any number of ids fits in 52,000 characters of JSON", () => {
  const everyHour = range("id", 0, DISTINCT_EXACT_MAX).flatMap(([id]) =>
    Array.from({ length: 24 }, (_, hour): Seen => [id, hour]),
  );
  const exact = JSON.stringify(dayOf(everyHour).toStored());
  const sketched = JSON.stringify(dayOf([...everyHour, [hash52("one more"), 0]]).toStored());
  expect(exact.length).toBeLessThan(52_000);
  expect(sketched.length).toBeLessThan(45_000);
});

test("a union of exact days is exact, for whole days and for hours", () => {
  const mask = fc.option(fc.integer({ min: 0, max: 2 ** 24 - 1 }), { nil: null });
  fc.assert(
    fc.property(fc.array(fc.tuple(seen, mask), { maxLength: 8 }), (parts) => {
      const ids = new Set<number>();
      for (const [added, hours] of parts) {
        for (const [id, hour] of added) if (hours === null || ((hours >> hour) & 1) === 1) ids.add(id);
      }
      const stored = parts.map(([added, hours]) => [dayOf(added).toStored(), hours] as const);
      expect(countOf(stored)).toEqual({ value: ids.size, approximate: false });
    }),
  );
});

test("a union beyond its cap is an estimate, and says so", () => {
  const days = Array.from({ length: 110 }, (_, day) => dayOf(range("id", day * 2_000, (day + 1) * 2_000)).toStored());
  const within = countOf(days.slice(0, 100).map((ids) => [ids, null]));
  expect(within).toEqual({ value: DISTINCT_UNION_EXACT_MAX, approximate: false });
  const beyond = countOf(days.map((ids) => [ids, null]));
  expect(beyond.approximate).toBe(true);
  expect(Math.abs(beyond.value / 220_000 - 1)).toBeLessThan(0.02);
});

test("a union is the same in any order, with whole days, hours, sketches and exact days in it", () => {
  const mixed = Array.from({ length: 12 }, (_, day) => {
    const count = day % 3 === 0 ? 500 : 6_000;
    const hours = day % 4 === 0 ? 0xff : null;
    return [dayOf(range("id", day * 400, day * 400 + count)).toStored(), hours] as const;
  });
  const expected = countOf(mixed);
  expect(expected.approximate).toBe(true);
  for (let seed = 0; seed < 10; seed++) expect(countOf(shuffled(mixed, seed))).toEqual(expected);
});

test("all the hours of a day count as the whole day, and none as nothing", () => {
  const ids = dayOf(range("id", 0, 5_000)).toStored();
  expect(countOf([[ids, 2 ** 24 - 1]])).toEqual(countOf([[ids, null]]));
  expect(countOf([[ids, 0]])).toEqual({ value: 0, approximate: false });
  const morning = dayOf(range("id", 0, 5_000).map(([id, hour]) => [id, hour % 12])).toStored();
  expect(countOf([[morning, 0xfff]])).toEqual(countOf([[morning, null]]));
  expect(countOf([[morning, 0xfff000]])).toEqual({ value: 0, approximate: false });
});

test.each([
  [50_000, 4],
  [200_000, 2],
  [1_000_000, 1],
])(
  "thirty days of %i overlapping ids are counted within two per cent, and within three where hours cut the ends (%i seeds)",
  (total, seeds) => {
    for (let seed = 0; seed < seeds; seed++) {
      // Each day sees a quarter of all ids, beginning a thirtieth further on, and so three quarters of the day before.
      const parts = Array.from({ length: 30 }, (_, day) => {
        const from = Math.floor((day * total * 0.75) / 29);
        return dayOf(range(`${seed}/`, from, from + total / 4)).toStored();
      });
      const whole = countOf(parts.map((ids) => [ids, null]));
      expect(whole.approximate).toBe(true);
      expect(Math.abs(whole.value / total - 1)).toBeLessThan(0.02);
      const shifted = countOf(parts.map((ids, day) => [ids, day === 0 ? 0xffc000 : day === 29 ? 0x3fff : null]));
      // The first day's other hours are seen on the days after, but for the ids that only it has.
      const lost = idsOnlyIn(total, 0xffc000, 0x3fff);
      expect(shifted.approximate).toBe(true);
      expect(Math.abs(shifted.value / (total - lost) - 1)).toBeLessThan(0.03);
    }
  },
);

/** How many ids are seen on the first or last day only, and in none of its hours that count. */
function idsOnlyIn(total: number, firstHours: number, lastHours: number): number {
  const second = Math.floor((total * 0.75) / 29);
  const lastButOne = Math.floor((28 * total * 0.75) / 29) + total / 4;
  const end = Math.floor(total * 0.75) + total / 4;
  let lost = 0;
  for (let i = 0; i < second; i++) if (((firstHours >> (i % 24)) & 1) === 0) lost++;
  for (let i = lastButOne; i < end; i++) if (((lastHours >> (i % 24)) & 1) === 0) lost++;
  return lost;
}
