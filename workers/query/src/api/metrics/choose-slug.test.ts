import { SlugSchema } from "@tidemark/contract/metric-schema";
import fc from "fast-check";
import { expect, test } from "vitest";
import { chooseSlug, slugPrefix } from "./choose-slug.ts";

test.each([
  ["API Requests", [], "api_requests"],
  ["API Requests", ["api_requests"], "api_requests_2"],
  ["API Requests", ["api_requests", "api_requests_2", "api_requests_3"], "api_requests_4"],
  ["LLM tokens (output)", [], "llm_tokens_output"],
  ["ünïcödé & more", [], "uenicoede_and_more"],
  ["日本語", [], "metric"],
  ["_-_", ["metric"], "metric_2"],
  ["a".repeat(64), ["a".repeat(64)], `${"a".repeat(62)}_2`],
  [`${"a".repeat(61)} b c`, [], `${"a".repeat(61)}_b`],
])("%s beside %j is %s", (name, taken, expected) => {
  expect(chooseSlug(name, new Set(taken))).toBe(expected);
});

test("whatever the name, the slug is one and none of those taken", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.nat({ max: 12 }), (name, repeats) => {
      const taken = new Set<string>();
      for (let i = 0; i <= repeats; i++) {
        const slug = chooseSlug(name, taken);
        expect(SlugSchema.safeParse(slug).success).toBe(true);
        expect(taken.has(slug)).toBe(false);
        expect(slug.startsWith(slugPrefix(name))).toBe(true);
        taken.add(slug);
      }
    }),
  );
});
