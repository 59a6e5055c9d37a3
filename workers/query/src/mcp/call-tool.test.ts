import type { Principal } from "@tidemark/http/authenticate";
import { expect, test, vi } from "vitest";
import * as z from "zod";
import type { QueryEnv } from "../env.ts";
import { callTool } from "./call-tool.ts";
import type { Tool } from "./tool.ts";

const TOOL: Tool = {
  name: "look",
  title: "Look",
  description: "Looks.",
  scope: "read",
  effect: "reads",
  input: z.strictObject({ metric: z.string().optional() }),
  answeredBy: { method: "GET", path: "/v1/look" },
  narrow: "Look at less.",
};

async function use(response: Response, input = {}) {
  const request = new Request("https://meter.example/mcp", { method: "POST" });
  return callTool(TOOL, input, { env: {} as QueryEnv, principal: {} as Principal, request, ask: async () => response });
}

test("an answer that is no JSON is an error like every other, and not an exception", async () => {
  const logged = vi.spyOn(console, "error").mockImplementation(() => undefined);
  for (const status of [200, 500]) {
    const result = await use(new Response("rank,customer\r\n1,acme", { status }));
    expect(result).toMatchObject({ isError: true, structuredContent: { code: "internal_error", status: 500 } });
  }
  logged.mockRestore();
});

test("an argument that the tool does not have is refused before the API is asked", async () => {
  const result = await use(Response.json({}), { metric: "m", format: "csv" });
  expect(result).toMatchObject({ isError: true, structuredContent: { code: "invalid_request" } });
  expect(await use(Response.json({ a: 1 }), { metric: "m" })).toMatchObject({ structuredContent: { a: 1 } });
});
