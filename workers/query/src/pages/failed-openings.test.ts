import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FAILED_OPENINGS_MAX, FAILED_OPENINGS_SECONDS } from "@tidemark/contract/query-limits";
import { expect, test } from "vitest";
import { networkOf } from "./failed-openings.ts";

test.for([
  ["203.0.113.7", "203.0.113.7"],
  ["unknown", "unknown"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
  ["2001:db8:1:2::6", "2001:db8:1:2"],
  ["2001:db8::6", "2001:db8:0:0"],
  ["2001:db8::", "2001:db8:0:0"],
  ["::1", "0:0:0:0"],
  ["::", "0:0:0:0"],
] as const)("%s is counted as %s", ([address, network]) => {
  expect(networkOf(address)).toBe(network);
});

test.for(["../../../../wrangler.toml", "../../wrangler.toml"])("%s counts as answers say", (file) => {
  const text = readFileSync(join(import.meta.dirname, file), "utf8");
  expect(text).toContain(`simple = { limit = ${FAILED_OPENINGS_MAX}, period = ${FAILED_OPENINGS_SECONDS} }`);
});
