import { expect, test } from "vitest";
import { readReference } from "./openapi.ts";
import { ReferencePage } from "./reference-page.tsx";
import { HOSTILE_NAMES, render, skeleton } from "./report-for-tests.ts";

const document = {
  openapi: "3.1.0",
  info: { title: "Tidemark", version: "0.1.0", description: "Sends `events`." },
  tags: [{ name: "Write", description: "What gateways call." }, { name: "Unused" }],
  paths: {
    "/v1/things/{id}": {
      parameters: [{ $ref: "#/components/parameters/Id" }],
      get: { responses: { "200": { description: "It" } } },
    },
    "/v1/events": {
      post: {
        tags: ["Write"],
        summary: "Send events",
        requestBody: {
          content: {
            "application/json": {
              schema: {
                oneOf: [
                  { $ref: "#/components/schemas/Event" },
                  { type: "array", items: { $ref: "#/components/schemas/Event" } },
                ],
              },
              example: { event: "api_request" },
            },
          },
        },
        responses: { "202": { description: "Accepted" }, "503": { $ref: "#/components/responses/Busy" } },
      },
    },
  },
  components: {
    parameters: { Id: { name: "id", in: "path", required: true, schema: { type: "string", format: "uuid" } } },
    responses: { Busy: { description: "Send again" } },
    schemas: {
      Event: {
        type: "object",
        required: ["event"],
        properties: {
          event: { type: "string", description: "What happened." },
          kind: { enum: ["a", "b"] },
          timestamp: { type: ["string", "number"] },
          parts: { type: "array", items: { type: "object", properties: { price: { type: "string" } } } },
          parent: { $ref: "#/components/schemas/Event" },
        },
      },
    },
  },
};

test("operations stand under their tags, described ones first, and empty tags are left out", () => {
  const { groups } = readReference(document);
  expect(groups.map(({ tag, operations }) => [tag, operations.map(({ id }) => id)])).toEqual([
    ["Write", ["post-v1-events"]],
    ["Other", ["get-v1-things-id"]],
  ]);
});

test("a body lists its properties once, with type, need and nested ones by path", () => {
  const [body] = readReference(document).groups[0]?.operations[0]?.bodies ?? [];
  expect(body?.type).toBe("Event or array of Event");
  expect(body?.fields.slice(0, 5).map(({ name, type, required }) => [name, type, required])).toEqual([
    ["event", "string", true],
    ["kind", '"a" or "b"', false],
    ["timestamp", "string or number", false],
    ["parts", "array of object", false],
    ["parts[].price", "string", false],
  ]);
});

test("parameters of the path count for each of its operations, through references", () => {
  expect(readReference(document).groups[1]?.operations[0]?.parameters).toEqual([
    { name: "id", where: "path", type: "string (uuid)", required: true, description: "" },
  ]);
});

test("a schema that contains itself ends", () => {
  const self = { components: { schemas: { A: { $ref: "#/components/schemas/A" } } } };
  const fields = readReference(document).groups[0]?.operations[0]?.bodies[0]?.fields ?? [];
  expect(fields.length).toBeLessThan(60);
  const paths = { "/a": { get: { parameters: [{ $ref: "#/components/schemas/A" }], responses: {} } } };
  expect(readReference({ ...self, paths }).groups[0]?.operations[0]?.parameters[0]?.name).toBe("");
});

test.for([{}, { paths: [] }, { paths: { "/a": null } }, { paths: { "/a": { get: 7 } } }, { tags: "x", info: 3 }])(
  "a malformed document is an empty reference, not an error: %j",
  (broken) => {
    expect(() => readReference(broken)).not.toThrow();
  },
);

test("a link to an operation points inside it, so that the browser opens it", async () => {
  const html = await render(ReferencePage, { document });
  expect(html).toContain('<a href="#post-v1-events">');
  expect(html).toMatch(/<details class="operation"><summary>.*?<\/summary><div id="post-v1-events">/);
});

test("errors are listed by status and lead to their pages", async () => {
  const html = await render(ReferencePage, { document });
  expect(html).toContain('<h4><a href="/docs/errors">Errors</a></h4>');
  expect(html).toContain("<li><code>503</code> Send again</li>");
});

test.for(HOSTILE_NAMES.filter((name) => name.trim() !== ""))("%j stays text in a description", async (text) => {
  const reference = async (words: string): Promise<readonly string[]> => {
    const info = { title: words, version: words, description: words };
    return skeleton(await render(ReferencePage, { document: { ...document, info } }));
  };
  expect(await reference(text)).toEqual(await reference("harmless"));
});
