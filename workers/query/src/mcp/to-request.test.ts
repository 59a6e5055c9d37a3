import { Problem } from "@tidemark/http/problem";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { toRequest } from "./to-request.ts";
import type { Arguments, Route } from "./tool.ts";

const from = new Request("https://meter.example/mcp", {
  method: "POST",
  headers: { authorization: "Bearer tm_key", cookie: "a=b", "mcp-protocol-version": "2025-11-25" },
});
const metric = z.string();
const READ: Route = { method: "GET", path: "/v1/metrics/{metric}", inPath: { metric } };
const CHANGE: Route = { method: "PATCH", path: "/v1/metrics/{metric}", inPath: { metric } };
const CREATE: Route = { method: "POST", path: "/v1/metrics", isIdempotent: true };
const QUERY: Route = {
  method: "POST",
  path: "/v1/query",
  says: { field: "source", value: "usage", otherwise: "Use other_tool." },
};

describe("a tool's arguments", () => {
  test.each<[string, Route, Arguments, string]>([
    ["go into the path", READ, { metric: "calls" }, "GET /v1/metrics/calls"],
    [
      "are written so that a path can hold them",
      READ,
      { metric: "a/b?c#d é" },
      "GET /v1/metrics/a%2Fb%3Fc%23d%20%C3%A9",
    ],
    ["go into the query", READ, { metric: "m", days: 7, x: "a&b" }, "GET /v1/metrics/m?days=7&x=a%26b"],
    ["are left out where they say nothing", READ, { metric: "m", days: undefined }, "GET /v1/metrics/m"],
    [
      "reach the API's own check, whatever they are",
      READ,
      { metric: "m", days: { a: 1 } },
      'GET /v1/metrics/m?days={"a":1}',
    ],
  ])("%s", (_, route, input, expected) => {
    const { method, url } = toRequest(route, input, from);
    const { origin, pathname, search } = new URL(url);
    expect(`${method} ${pathname}${decodeURIComponent(search) === search ? search : readable(search)}`).toBe(expected);
    expect(origin).toBe("https://meter.example");
  });

  test("are the body's fields, and an idempotency key a header", async () => {
    const change = toRequest(CHANGE, { metric: "m", name: "N" }, from);
    expect(await change.json()).toEqual({ name: "N" });
    const create = toRequest(CREATE, { name: "N", idempotency_key: "k1" }, from);
    expect(create.headers.get("idempotency-key")).toBe("k1");
    expect(await create.json()).toEqual({ name: "N" });
  });

  test("are completed by what the tool itself says", async () => {
    for (const input of [{ metric: "m" }, { metric: "m", source: "usage" }])
      expect(await toRequest(QUERY, input, from).json()).toEqual({ metric: "m", source: "usage" });
  });

  test("go with the caller's key, and with nothing else of the call", () => {
    expect([...toRequest(READ, { metric: "m" }, from).headers]).toEqual([
      ["accept", "application/json"],
      ["authorization", "Bearer tm_key"],
    ]);
  });

  test.each<[string, Route, Arguments, string]>([
    [
      "what another tool does",
      QUERY,
      { source: "archive" },
      '/source: Must be "usage", or be left out. Use other_tool.',
    ],
    ["no path argument", READ, {}, "/metric: Is required."],
    ["one that is no text", READ, { metric: 7 }, "/metric: Must be a text."],
    ["an empty one", READ, { metric: "" }, "/metric: Must be a text."],
    ["one that a URL would take for a step up", READ, { metric: ".." }, "There is nothing here."],
    [
      "a key that no header holds",
      CREATE,
      { idempotency_key: "a\nb" },
      "/idempotency_key: Must be a text of printable",
    ],
  ])("are refused with %s", (_, route, input, said) => {
    expect(() => toRequest(route, input, from)).toThrow(Problem);
    expect(() => toRequest(route, input, from)).toThrow(said);
  });
});

/** The query where its own separators cannot be mistaken. */
function readable(search: string): string {
  return search.includes("%26") ? search : decodeURIComponent(search);
}
