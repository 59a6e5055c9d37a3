import { execFileSync } from "node:child_process";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Json } from "./event.ts";
import type { FilterTree } from "./filter.ts";
import { type Aggregation, compileMetric, evaluate, type Metric } from "./metric.ts";
import { type PreviewDefinition, type PreviewEvent, previewMetric } from "./preview.ts";

const CONTEXT = { now: Date.UTC(2026, 10, 21), origin: "https://usage.example.com", state: null };
const OK: FilterTree = { and: [{ property: "status", op: "equals", value: 200 }] };

function definition(fields: Partial<PreviewDefinition> = {}): PreviewDefinition {
  return {
    event_matchers: [{ event: "api_request" }],
    filters: null,
    aggregation: "count",
    value_property: null,
    distinct_by: null,
    group_by: [],
    segments: [],
    decimal_places: 0,
    allow_negative: false,
    ...fields,
  };
}

function valued(aggregation: Aggregation, fields: Partial<PreviewDefinition> = {}): PreviewDefinition {
  if (aggregation === "count") return definition(fields);
  if (aggregation === "unique") return definition({ aggregation, distinct_by: "n", ...fields });
  return definition({ aggregation, value_property: "n", ...fields });
}

function events(values: readonly Json[]): readonly PreviewEvent[] {
  return values.map((n) => ({ event: "api_request", properties: { n } }));
}

function preview(
  fields: PreviewDefinition,
  given: readonly PreviewEvent[] = [],
  context: Partial<typeof CONTEXT> = {},
) {
  return previewMetric(fields, given, { ...CONTEXT, ...context });
}

describe("the result and its line (feature 56)", () => {
  test.each<[Aggregation, readonly Json[], string | null, string]>([
    ["count", [7, 8, 9], "3", "1 + 1 + 1 = 3"],
    ["sum", [1, 2, 3], "6", "1 + 2 + 3 = 6"],
    ["max", [10, 20, 30], "30", "max(10, 20, 30) = 30"],
    ["min", [10, 20, 30], "10", "min(10, 20, 30) = 10"],
    ["unique", ["a", "b", "a"], "2", "unique(a, b, a) = 2"],
    ["unique", [5, "5", true], "2", "unique(5, 5, true) = 2"],
    ["latest", [10, 20, 30], "30", "latest(10, 20, 30) = 30"],
    ["sum", ["9223372036854775807", 1], "9223372036854775808", "9223372036854775807 + 1 = 9223372036854775808"],
    ["sum", [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11], "66", "1 + 2 + 3 + 4 + 5 + 6 + 7 + 8 + … + 11 = 66"],
    ["count", [], "0", "1 + 1 + 1 = 3"],
    ["sum", [], "0", "1 + 2 + 3 = 6"],
    ["unique", [], "0", "unique(a, b, a) = 2"],
    ["max", [], null, "max(10, 20, 30) = 30"],
    ["min", [], null, "min(10, 20, 30) = 10"],
    ["latest", [], null, "latest(10, 20, 30) = 30"],
  ])("%s of %j", (aggregation, values, result, line) => {
    expect(preview(valued(aggregation), events(values))).toMatchObject({ result, aggregation_line: line });
  });

  test("has the metric's places", () => {
    const fields = valued("sum", { decimal_places: 2 });
    expect(preview(fields, events([0.1, "0.2"]))).toMatchObject({ result: "0.3", aggregation_line: "0.1 + 0.2 = 0.3" });
    expect(preview(fields)).toMatchObject({ aggregation_line: "1 + 2 + 3 = 6" });
    expect(preview(definition({ decimal_places: 2 }), events([1, 1]))).toMatchObject({ result: "2" });
  });

  test("is never below zero unless the metric says so: +5, -10, +5 (V7)", () => {
    const running = (allow_negative: boolean) =>
      preview(valued("sum", { allow_negative }), events([5, -10, 5])).events.map((event) => event.running);
    expect([running(false), running(true)]).toEqual([
      ["5", "0", "0"],
      ["5", "-5", "0"],
    ]);
    expect(preview(valued("sum"), events([5, -10, 5]))).toMatchObject({
      result: "0",
      aggregation_line: "5 + -10 + 5 = 0",
    });
    expect(preview(valued("sum"), events([5, -10]))).toMatchObject({
      result: "0",
      aggregation_line: "5 + -10 = -5, shown as 0",
    });
  });

  test.each<[Aggregation, string, string]>([
    ["count", "102", "100 + 1 + 1 = 102"],
    ["sum", "103", "100 + 1 + 2 = 103"],
    ["max", "100", "max(100, 1, 2) = 100"],
    ["min", "1", "min(100, 1, 2) = 1"],
    ["unique", "102", "100 + unique(1, 2) = 102"],
    ["latest", "2", "latest(100, 1, 2) = 2"],
  ])("of %s goes on from a state", (aggregation, result, line) => {
    const context = { state: 100 } as never;
    expect(preview(valued(aggregation), events([1, 2]), context)).toMatchObject({ result, aggregation_line: line });
    expect(preview(valued(aggregation), [], context).result).toBe("100");
  });

  test("of latest goes by when a value was said, not by when it came", () => {
    const said = (n: number, timestamp?: string) => ({ event: "api_request", properties: { n }, timestamp });
    const given = [said(1, "2026-11-02T00:00:00Z"), said(2, "2026-11-01T00:00:00Z")];
    expect(preview(valued("latest"), given)).toMatchObject({ result: "1", aggregation_line: "latest(2, 1) = 1" });
    // What has no timestamp happens now.
    expect(preview(valued("latest"), [said(3), said(4), ...given])).toMatchObject({ result: "4" });
  });
});

describe("each event is told what became of it", () => {
  const fields = definition({
    event_matchers: [{ event: "api_request" }, { event: "api_call" }],
    filters: OK,
    aggregation: "sum",
    value_property: "usage.tokens",
    group_by: ["region"],
    segments: [
      { name: "EU", color: "blue", filters: { or: [{ property: "region", op: "equals", value: "eu" }] } },
      { name: "Big", color: "orange", filters: { and: [{ property: "usage.tokens", op: "gte", value: 100 }] } },
    ],
  });
  const of = (properties: Readonly<Record<string, Json>>, event = "api_call") => ({ event, properties });
  const outcome = preview(fields, [
    of({ status: 200, region: "eu", usage: { tokens: 100 } }),
    of({ status: 200, usage: { tokens: 7 } }),
    of({ status: 500, usage: { tokens: 7 } }),
    of({ usage: { tokens: 7 } }),
    of({ status: 200 }),
    of({ status: 200, usage: { tokens: "many" } }),
    of({ status: 200, usage: { tokens: 1.5 } }),
    of({ status: 200 }, "login"),
  ]);

  test("which matched, and why the others did not", () => {
    expect(outcome.events.map(({ index, matched, reason }) => [index, matched, reason])).toEqual([
      [0, true, null],
      [1, true, null],
      [2, false, "status must equal 200, and is 500."],
      [3, false, "status must equal 200, and is missing."],
      [4, true, "usage.tokens is missing: the event is rejected, and not read as 0."],
      [5, true, 'usage.tokens is "many": not a decimal number.'],
      [6, true, "usage.tokens is 1.5: more than the 0 decimal places of the metric."],
      [7, false, 'Listens to "api_request" or "api_call", and this event is "login".'],
    ]);
  });

  test("its value, the result until there, its labels and its segments", () => {
    expect(outcome.events.slice(0, 3)).toMatchObject([
      { value: "100", running: "100", labels: { region: "eu" }, segments: ["EU", "Big"] },
      { value: "7", running: "107", labels: { region: "" }, segments: [] },
      { value: null, running: "107", labels: {}, segments: [] },
    ]);
    expect(outcome.result).toBe("107");
    expect(outcome.segments).toEqual([
      { name: "EU", color: "blue", result: "100" },
      { name: "Big", color: "orange", result: "100" },
    ]);
  });

  test("that its id came before, and so that it counts once", () => {
    const one = (id: string, customer_id?: string) => ({ id, event: "api_request", customer_id });
    const given = [one("a"), one("b"), one("a"), one("a", "acme"), { event: "api_request" }, { event: "api_request" }];
    const { events: seen, result } = preview(definition(), given);
    expect(seen.map(({ is_duplicate }) => is_duplicate)).toEqual([false, false, true, false, false, false]);
    expect(seen[2]).toMatchObject({
      matched: true,
      value: null,
      running: "2",
      reason: expect.stringContaining("once") as string,
    });
    expect(result).toBe("5");
  });

  test.each<[FilterTree, string]>([
    [
      {
        and: [
          { property: "a", op: "exists" },
          { property: "b", op: "gt", value: 5 },
        ],
      },
      "b must be above 5, and is 1.",
    ],
    [
      { or: [{ property: "a", op: "not_exists" }, { and: [{ property: "b", op: "in", value: ["x", "y"] }] }] },
      'a must not be there, and is "v"; or else b must be one of ["x","y"], and is 1.',
    ],
    [
      { or: ["p", "q", "r", "s", "t"].map((property) => ({ property, op: "exists" as const })) },
      "p must be there, and is missing; or else q must be there, and is missing; or else r must be there, and is missing; and 2 other alternatives do not hold.",
    ],
  ])("which condition failed, in %j", (filters, reason) => {
    const [event] = preview(definition({ filters }), [{ event: "api_request", properties: { a: "v", b: 1 } }]).events;
    expect(event?.reason).toBe(reason);
  });
});

function asMetric(fields: PreviewDefinition): Metric {
  const place = { id: "m", slug: "m", version: 1, counter_id: "m", received_from: null, counts_from: null };
  return { ...place, counts_until: null, backfilled: [], exposed_event_keys: [], ...fields };
}

function isCounted(fields: PreviewDefinition): boolean {
  const { example_event: event } = preview(fields);
  if (event === null) return false;
  expect(fields.event_matchers.map((matcher) => matcher.event)).toContain(event.event);
  const received = JSON.parse(JSON.stringify(event)) as typeof event;
  return evaluate(compileMetric(asMetric(fields)), received, 0).kind === "counted";
}

describe("the example event (feature 55) is one that the metric counts", () => {
  test("with everything that the metric reads, inside each other where paths are dotted", () => {
    const fields = valued("sum", { value_property: "usage.output", filters: OK, group_by: ["geo.region", "model"] });
    expect(preview(fields).example_event).toEqual({
      id: "example_1",
      event: "api_request",
      customer_id: "customer_1",
      properties: { status: 200, model: "model_1", geo: { region: "region_1" }, usage: { output: 10 } },
    });
    expect(preview(valued("unique", { distinct_by: "user_id" })).example_event?.properties).toEqual({
      user_id: "user_id_1",
    });
  });

  const both = (...conditions: FilterTree[]): FilterTree => ({ and: conditions });
  const one = (property: string, op: string, value?: Json): FilterTree => ({ and: [{ property, op, value } as never] });
  test.each<[string, PreviewDefinition]>([
    ["a value between two others", valued("sum", { filters: both(one("n", "gt", 5), one("n", "lt", 7)) })],
    ["a fraction", valued("sum", { decimal_places: 2, filters: both(one("n", "gt", 0.1), one("n", "lt", 0.2)) })],
    ["a value that is one of several", valued("sum", { filters: one("n", "in", ["x", 2.5, 4]) })],
    ["a value that is none of several", valued("max", { filters: one("n", "not_in", [10, 1, 0, -1, 11, 9]) })],
    ["a number beyond 2^53", valued("latest", { filters: one("n", "gt", "9007199254740993") })],
    [
      "a text with a start and parts",
      definition({
        filters: both(one("p", "starts_with", "/v1/"), one("p", "contains", "x"), one("p", "contains", "y")),
      }),
    ],
    ["nothing where nothing may be", definition({ filters: one("p", "not_exists") })],
    [
      "an object's place taken by a value",
      definition({ filters: both(one("a", "equals", 5), one("a.b", "equals", 6)) }),
    ],
    [
      "a value in an object that must not be there",
      definition({ filters: both(one("a", "not_exists"), one("a.b", "equals", 6)) }),
    ],
    [
      "the alternative that can be",
      definition({ filters: { or: [both(one("a", "exists"), one("a", "not_exists")), one("b", "equals", true)] } }),
    ],
    [
      "the only pair of alternatives",
      definition({
        filters: {
          and: [
            { or: [one("a", "equals", 1), one("a", "equals", 2)] },
            { or: [one("a", "equals", 3), one("a", "equals", 2)] },
          ],
        },
      }),
    ],
    ["a label that is filtered", definition({ group_by: ["plan"], filters: one("plan", "in", ["pro", "enterprise"]) })],
    [
      "a number that no double holds",
      definition({ filters: both(one("p", "not_equals", "1e9999"), one("p", "gt", 5)) }),
    ],
    [
      "none of a long list",
      definition({
        filters: one(
          "p",
          "not_in",
          Array.from({ length: 200 }, (_, i) => i),
        ),
      }),
    ],
    ["an id that is not empty", valued("unique", { filters: one("n", "not_equals", "") })],
  ])("%s", (_what, fields) => {
    expect(isCounted(fields)).toBe(true);
  });

  test("or none, when nothing can pass", () => {
    const filters = both(one("a", "equals", 1), one("a", "equals", 2));
    expect(preview(definition({ filters }))).toMatchObject({ example_event: null, snippets: null });
  });

  test("is found for every tree without a contradiction, and is never one that does not count", () => {
    // Each property is asked for one thing only, so that every tree can be met.
    const conditions = fc.uniqueArray(
      fc.record({
        property: fc.constantFrom("n", "a", "a.b", "c.d.e", "region", "c"),
        rest: fc.constantFrom(
          { op: "equals", value: 4 },
          { op: "in", value: [7, "8"] },
          { op: "not_in", value: [10, 1, "n_1"] },
          { op: "gte", value: 3 },
          { op: "lt", value: "0.5" },
          { op: "contains", value: "5" },
          { op: "exists" },
        ),
      }),
      { minLength: 1, maxLength: 6, selector: ({ property }) => property },
    );
    fc.assert(
      fc.property(
        conditions,
        fc.constantFrom<Aggregation>("count", "sum", "max", "min", "unique", "latest"),
        fc.func(fc.boolean()),
        fc.uniqueArray(fc.constantFrom("region", "a", "c.d"), { maxLength: 2 }),
        (chosen, aggregation, joinsWithOr, group_by) => {
          let tree: FilterTree = { and: [{ property: "z", op: "not_exists" }] };
          for (const { property, rest } of chosen) {
            const condition = { property, ...rest } as never;
            tree = joinsWithOr(property) ? { or: [condition, tree] } : { and: [tree, condition] };
          }
          expect(
            isCounted(
              valued(aggregation, { filters: tree, group_by, decimal_places: aggregation === "unique" ? 0 : 2 }),
            ),
          ).toBe(true);
        },
      ),
      { numRuns: 500 },
    );
  });

  test("is looked for within bounds, whatever is asked", () => {
    const choice = (i: number): FilterTree => ({
      or: Array.from({ length: 8 }, (_, k) =>
        one(
          "a",
          "in",
          Array.from({ length: 200 }, (_value, v) => `${i}-${k}-${v}`),
        ),
      ),
    });
    expect(
      preview(definition({ filters: { and: Array.from({ length: 10 }, (_, i) => choice(i)) } })).example_event,
    ).toBeNull();
  });
});

describe("the snippets (feature 57) send the example event and nothing else", () => {
  const nasty = `it's "quoted" $(touch /tmp/x) \`id\` \\ ; </script> \u2028 & é`;
  const fields = definition({
    event_matchers: [{ event: nasty }],
    filters: { and: [{ property: "p", op: "equals", value: nasty }] },
  });
  const { example_event: event, snippets } = preview(fields);

  test("from a shell", () => {
    const script = `curl() { for word in "$@"; do printf '%s\\0' "$word"; done; }\n${snippets?.curl ?? ""}`;
    const words = execFileSync("sh", ["-c", script], { encoding: "utf8" }).split("\0").slice(0, -1);
    expect(words.slice(0, -1)).toEqual([
      "-X",
      "POST",
      "https://usage.example.com/v1/events",
      "-H",
      "Authorization: Bearer YOUR_INGEST_KEY",
      "-H",
      "Content-Type: application/json",
      "-d",
    ]);
    expect(JSON.parse(words.at(-1) ?? "")).toEqual(event);
  });

  test("from JavaScript", async () => {
    expect(snippets?.javascript).not.toContain("</script");
    const sent: unknown[] = [];
    // oxlint-disable-next-line typescript/no-implied-eval -- what is tested is that it can be run
    const run = new Function("fetch", `return (async () => { ${snippets?.javascript ?? ""} })()`) as (
      fetch: (url: string, init: { readonly body: string }) => void,
    ) => Promise<void>;
    await run((url, { body }) => sent.push(url, JSON.parse(body)));
    expect(sent).toEqual(["https://usage.example.com/v1/events", event]);
  });
});
