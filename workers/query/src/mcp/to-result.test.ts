import { Problem, problemResponse } from "@tidemark/http/problem";
import { TOOL_ANSWER_LENGTH_MAX } from "@tidemark/contract/query-limits";
import { expect, test } from "vitest";
import { toResult } from "./to-result.ts";

const NARROW = "Ask for less.";

test("an answer is structured, and the same as text", async () => {
  const result = await toResult(Response.json({ data: [{ total: "1" }] }), NARROW);
  expect(result).toEqual({
    content: [{ type: "text", text: '{"data":[{"total":"1"}]}' }],
    structuredContent: { data: [{ total: "1" }] },
  });
});

test("an answer without a body says that it is done", async () => {
  const result = await toResult(new Response(null, { status: 204 }), NARROW);
  expect(result).toMatchObject({ content: [{ text: "Done." }], structuredContent: { done: true } });
});

test("a problem is an error with its code, its fields, what to do and the request's id", async () => {
  const errors = [{ pointer: "/days", code: "too_big", detail: "Must be at most 200." }];
  const problem = new Problem("invalid_request", "/days: Must be at most 200.", { errors });
  const result = await toResult(problemResponse(problem, "req_1", "https://meter.example/v1"), NARROW);
  expect(result.isError).toBe(true);
  expect(result.structuredContent).toMatchObject({ code: "invalid_request", status: 400, request_id: "req_1", errors });
  expect(result.content).toEqual([
    {
      type: "text",
      text: [
        "invalid_request: /days: Must be at most 200. Correct the fields that `errors` points at.",
        JSON.stringify(errors),
        "request_id: req_1",
      ].join("\n"),
    },
  ]);
});

test("an answer that no agent could read says how to ask for less", async () => {
  const response = Response.json(
    { text: "a".repeat(TOOL_ANSWER_LENGTH_MAX) },
    { headers: { "x-request-id": "req_2" } },
  );
  const result = await toResult(response, NARROW);
  expect(result.isError).toBe(true);
  expect(result.structuredContent).toMatchObject({ code: "answer_too_large", request_id: "req_2" });
  expect(JSON.stringify(result).length).toBeLessThan(1_000);
  expect(JSON.stringify(result.content)).toContain(NARROW);
});
