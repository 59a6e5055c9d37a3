import { RENDERED_ENTRIES_MAX, RENDERED_LENGTH_MAX, RENDERED_MS_MAX } from "@tidemark/contract/query-limits";
import { expect, test } from "vitest";
import { type Rendered, RenderedCache } from "./rendered-cache.ts";

const NOW = 1_795_000_000_000;
const page = (body: string): Rendered => ({ body, headers: {} });

test("what was rendered is given out for ten seconds after the publication was read, and not longer", () => {
  const cache = new RenderedCache();
  cache.set("a", page("A"), { readAt: NOW, expiresAt: null });
  expect(cache.get("a", NOW + RENDERED_MS_MAX - 1)).toEqual(page("A"));
  expect(cache.get("a", NOW + RENDERED_MS_MAX)).toBeUndefined();
  expect(cache.get("a", NOW)).toBeUndefined();
});

test("nothing is given out once its link has expired", () => {
  const cache = new RenderedCache();
  cache.set("a", page("A"), { readAt: NOW, expiresAt: NOW + 5 });
  expect(cache.get("a", NOW + 4)).toEqual(page("A"));
  expect(cache.get("a", NOW + 5)).toBeUndefined();
});

test("a clock that was set back keeps nothing alive", () => {
  const cache = new RenderedCache();
  cache.set("a", page("A"), { readAt: NOW, expiresAt: null });
  expect(cache.get("a", NOW - 1)).toBeUndefined();
});

test("the oldest go when there are too many", () => {
  const cache = new RenderedCache();
  for (let i = 0; i <= RENDERED_ENTRIES_MAX; i++) cache.set(String(i), page("A"), { readAt: NOW, expiresAt: null });
  expect(cache.get("0", NOW)).toBeUndefined();
  expect(cache.get("1", NOW)).toBeDefined();
  expect(cache.get(String(RENDERED_ENTRIES_MAX), NOW)).toBeDefined();
});

test("the oldest go when there is too much, and what is too large alone is not kept", () => {
  const cache = new RenderedCache();
  const half = "x".repeat(RENDERED_LENGTH_MAX / 2);
  const when = { readAt: NOW, expiresAt: null };
  for (const key of ["a", "b", "b", "c"]) cache.set(key, page(half), when);
  expect(["a", "b", "c"].map((key) => cache.get(key, NOW) !== undefined)).toEqual([false, true, true]);
  cache.set("d", page(`${half}x`), when);
  expect(["b", "c", "d"].map((key) => cache.get(key, NOW) !== undefined)).toEqual([true, true, false]);
});
