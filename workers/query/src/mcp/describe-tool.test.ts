import { ListToolsResultSchema } from "@modelcontextprotocol/sdk/types.js";
import { describe, expect, test } from "vitest";
import * as z from "zod";
import { describeTool } from "./describe-tool.ts";
import type { Tool } from "./tool.ts";
import { TOOLS } from "./tools.ts";

const NAMES = [
  "usage_metrics_list",
  "usage_metrics_retrieve",
  "usage_metrics_preview",
  "usage_metrics_create",
  "usage_metrics_update",
  "usage_metrics_delete",
  "list_reports",
  "run_report",
  "analytics_query",
  "analytics_query_archive",
  "job_retrieve",
  "publish_query",
  "customer_usage",
  "explain_customer",
  "check_quota",
];

describe("the tools", () => {
  const described = TOOLS.map(describeTool);

  test("have the names that agents know", () => {
    expect(described.map(({ name }) => name)).toEqual(NAMES);
  });

  test("are what the protocol calls tools", () => {
    expect(ListToolsResultSchema.parse({ tools: described }).tools).toHaveLength(NAMES.length);
  });

  test.each(described.map((tool) => [tool.name, tool] as const))(
    "%s names every argument of its path",
    (name, tool) => {
      const answeredBy = TOOLS.find((one) => one.name === name)?.answeredBy;
      const path = typeof answeredBy === "object" ? answeredBy.path : "";
      const names = Array.from(path.matchAll(/\{(\w+)\}/g), ([, argument]) => argument);
      expect(tool.inputSchema.required).toEqual(expect.arrayContaining(names));
      expect(Object.keys(tool.inputSchema.properties ?? {})).toEqual(expect.arrayContaining(names));
    },
  );

  test("refer to nothing that is not in their schema", () => {
    for (const { inputSchema } of described) {
      const text = JSON.stringify(inputSchema);
      const defined = Object.keys((inputSchema as { $defs?: object }).$defs ?? {});
      for (const [, id] of text.matchAll(/"#\/\$defs\/([^"]+)"/g)) expect(defined).toContain(id);
    }
  });

  test("take little of an agent's attention: all of them less than 35,000 characters", () => {
    expect(JSON.stringify(described).length).toBeLessThan(35_000);
  });
});

test("a choice between shapes becomes one with the fields of all", () => {
  const shapes = z.union([
    z.strictObject({ kind: z.literal("a"), metric: z.string(), days: z.int() }),
    z.strictObject({ kind: z.literal("b"), metric: z.string(), label: z.string() }),
  ]);
  const tool = { ...TOOLS[0], input: shapes, answeredBy: { method: "POST", path: "/" } } as Tool;
  expect(describeTool(tool).inputSchema).toEqual({
    type: "object",
    properties: {
      kind: {
        anyOf: [
          { type: "string", const: "a" },
          { type: "string", const: "b" },
        ],
      },
      metric: { type: "string" },
      days: { type: "integer", minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER },
      label: { type: "string" },
    },
    required: ["kind", "metric"],
    additionalProperties: false,
  });
});
