import { expect, test } from "vitest";
import { type Decision, unavailableDecision } from "./decision.ts";
import { toDenial } from "./denial.ts";

const NOW = Date.UTC(2026, 10, 30, 23);
const DENIED: Decision = {
  ...unavailableDecision("api_request", "closed"),
  reason: "limit_reached",
  enforced: true,
  limit: "1000",
  used: "1000",
  remaining: "0",
  cycle: { start: "2026-11-01T00:00:00Z", end: "2026-12-01T00:00:00Z" },
};

test("a denial is a problem that tells the limit and when to come back", () => {
  const { status, headers, body } = toDenial(DENIED, NOW);
  expect(status).toBe(429);
  expect(headers).toEqual({
    "content-type": "application/problem+json",
    "cache-control": "no-store",
    "retry-after": "3600",
    ratelimit: '"api_request";r=0;t=3600',
    "ratelimit-policy": '"api_request";q=1000',
  });
  expect(JSON.parse(body)).toMatchObject({ status: 429, code: "limit_reached", metric: "api_request", limit: "1000" });
});

test.each([
  ["with what earlier cycles left over", { limit: "1000", carried: "250" }, "1250", "0"],
  ["in whole units", { limit: "10.5", carried: "2.75", remaining: "0.25" }, "12", "0"],
  ["up to what a header can hold", { limit: "999999999999998", carried: "1" }, "999999999999999", "0"],
])("the quota is told %s", (_, quantities, quota, left) => {
  const { headers } = toDenial({ ...DENIED, ...quantities }, NOW);
  expect(headers).toMatchObject({
    ratelimit: `"api_request";r=${left};t=3600`,
    "ratelimit-policy": `"api_request";q=${quota}`,
  });
});

test.each([
  ["an unknown end", { ...DENIED, cycle: null }, {}],
  ["a limit beyond what a header can hold", { ...DENIED, limit: "9".repeat(16) }, { "retry-after": "3600" }],
  ["a sum beyond it", { ...DENIED, limit: "9".repeat(15), carried: "1" }, { "retry-after": "3600" }],
  ["no meter", unavailableDecision("api_request", "closed"), {}],
])("with %s it tells only what it knows", (_, decision, expected) => {
  const { "content-type": type, "cache-control": cache, ...rest } = toDenial(decision, NOW).headers;
  expect([type, cache]).toEqual(["application/problem+json", "no-store"]);
  expect(rest).toEqual(expected);
});
