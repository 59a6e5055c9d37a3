import { Problem } from "@tidemark/http/problem";
import { expect, test } from "vitest";
import { invalid } from "../plumbing/issues.ts";
import { findHindrance } from "./find-hindrance.ts";

const fault = (pointer: string, code: string): Problem => invalid([{ pointer, code, detail: "Must not." }]);

test.each<readonly [string, unknown, ReturnType<typeof findHindrance>]>([
  ["a metric that was deleted", new Problem("not_found", "There is no such metric."), "changed"],
  ["a label that the metric has no more", fault("/label", "unknown_label"), "changed"],
  ["a metric that does not add up any more", fault("/metric", "not_additive"), "changed"],
  ["more customers' days than one question reads", fault("/range", "too_many_rows"), "outgrown"],
  ["more groups than can be sorted", fault("/group_by", "too_many_rows"), "outgrown"],
  ["a range without an end that has become too long", fault("/range/from", "invalid_value"), "out_of_range"],
  ["a zone that is no whole hours away", fault("/tz", "invalid_value"), "out_of_range"],
  ["a meter that does not answer", new Problem("unavailable", "Ask again."), undefined],
  ["a database that fails", new Error("D1 is away"), undefined],
])("%s is told apart", (_, error, hindrance) => {
  expect(findHindrance(error)).toBe(hindrance);
});
