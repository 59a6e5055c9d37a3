import fc from "fast-check";
import { expect, test } from "vitest";
import { checkEvent } from "./event-check.ts";
import { EventSchema } from "./event-schema.ts";
import {
  ID_LENGTH_MAX,
  NAME_LENGTH_MAX,
  PROPERTY_DEPTH_MAX,
  PROPERTY_KEY_LENGTH_MAX,
  PROPERTY_NODES_MAX,
} from "./limits.ts";

const GOOD = {
  id: "1",
  event: "call",
  customer_id: "acme",
  timestamp: "2026-11-01T12:00:00Z",
  properties: { status: 200 },
};

function accepts(value: unknown): boolean {
  return checkEvent(value) === undefined;
}

function nested(depth: number): unknown {
  return depth === 0 ? 1 : { a: nested(depth - 1) };
}

const oddText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.string({ unit: "grapheme", maxLength: 8 }),
  fc.constantFrom(
    "",
    " ",
    " a",
    "a ",
    "a b",
    "\u00a0a",
    "a\ufeff",
    "\t",
    "a\u0000",
    "\u007f",
    "\u0085",
    "\u202e",
    "\u2066a",
    "\u2069",
    "\ud800",
    "\udc00a",
    "😀",
    "é",
    "x".repeat(NAME_LENGTH_MAX),
    "x".repeat(NAME_LENGTH_MAX + 1),
    "x".repeat(ID_LENGTH_MAX),
    "x".repeat(ID_LENGTH_MAX + 1),
  ),
);
const oddTime = fc.oneof(
  fc.date({ noInvalidDate: true }).map((date) => date.toISOString()),
  fc.double(),
  fc.integer(),
  fc.constantFrom(
    "2026-02-29T00:00:00Z",
    "2024-02-29T23:59:59.123456789+14:00",
    "2026-11-01",
    "2026-11-01T24:00:00Z",
    "2026-11-01 00:00:00Z",
    "2026-11-01t00:00:00z",
    "2026-11-01T00:00:60Z",
    "2026-11-01T00:00:00",
    "+2026-11-01T00:00:00Z",
    "2026-11-01T00:00:00.Z",
    "1732150000",
    1732150000,
    1732150000123,
    -1,
    1e18,
    NaN,
  ),
);
const oddValue = fc.anything({ withNullPrototype: false, maxDepth: 4 });
const json = fc.jsonValue({ maxDepth: 4 });
const properties = fc.oneof(
  fc.dictionary(fc.string({ unit: "binary", maxLength: 4 }), json),
  fc.integer({ min: 0, max: PROPERTY_DEPTH_MAX + 2 }).map(nested),
  json,
);

const event = fc.record(
  {
    id: fc.oneof(oddText, oddValue),
    event: fc.oneof(oddText, oddValue),
    customer_id: fc.oneof(oddText, oddValue),
    timestamp: fc.oneof(oddTime, oddValue),
    properties: fc.oneof(properties, oddValue),
    extra: json,
  },
  { requiredKeys: [] },
);
/** Mostly sound events, so that acceptance is tested as often as refusal. */
const nearlyGood = fc
  .tuple(
    fc.constant(GOOD),
    event,
    fc.subarray(["id", "event", "customer_id", "timestamp", "properties", "extra"], { maxLength: 2 }),
  )
  .map(([good, odd, keys]) => ({
    ...good,
    ...Object.fromEntries(Object.entries(odd).filter(([key]) => keys.includes(key as never))),
  }));

test("the check on the write path accepts exactly what the schema accepts", () => {
  fc.assert(
    fc.property(fc.oneof(nearlyGood, nearlyGood, event, json), (value) => {
      // Events arrive as JSON, so what JSON cannot carry is not compared.
      const text = JSON.stringify(value);
      if (text === undefined) return;
      const parsed: unknown = JSON.parse(text);
      expect([text, accepts(parsed)]).toEqual([text, EventSchema.safeParse(parsed).success]);
    }),
    { numRuns: 5_000 },
  );
});

test.each([
  ["a null", null, "not_an_object", ""],
  ["an array", [], "not_an_object", ""],
  ["an unknown field", { ...GOOD, amount: 1 }, "unknown_field", "/amount"],
  ["a prototype key", JSON.parse('{"__proto__": {}, "event": "a", "customer_id": "b"}'), "unknown_field", "/__proto__"],
  ["no event", { customer_id: "a" }, "missing", "/event"],
  ["no customer", { event: "a" }, "missing", "/customer_id"],
  ["an empty id", { ...GOOD, id: "" }, "invalid_id", "/id"],
  ["a numeric id", { ...GOOD, id: 7 }, "invalid_id", "/id"],
  ["an id of a megabyte", { ...GOOD, id: "x".repeat(1_000_000) }, "invalid_id", "/id"],
  ["half a surrogate pair", { ...GOOD, customer_id: "a\ud800" }, "invalid_customer_id", "/customer_id"],
  ["a control character", { ...GOOD, customer_id: "a\u0000b" }, "invalid_customer_id", "/customer_id"],
  ["a direction override", { ...GOOD, event: "a\u202eb" }, "invalid_event", "/event"],
  ["30 February", { ...GOOD, timestamp: "2026-02-30T00:00:00Z" }, "invalid_timestamp", "/timestamp"],
  ["properties that are a list", { ...GOOD, properties: [] }, "invalid_properties", "/properties"],
  ["a lone surrogate in a property", { ...GOOD, properties: { a: "\udc00" } }, "invalid_properties", "/properties"],
  [
    "a key that is too long",
    { ...GOOD, properties: { ["k".repeat(PROPERTY_KEY_LENGTH_MAX + 1)]: 1 } },
    "invalid_properties",
    "/properties",
  ],
  ["one level too many", { ...GOOD, properties: nested(PROPERTY_DEPTH_MAX + 1) }, "too_deep", "/properties"],
  [
    "one value too many",
    { ...GOOD, properties: { list: Array.from({ length: PROPERTY_NODES_MAX }, () => 0) } },
    "too_many_values",
    "/properties",
  ],
] as const)("%s is refused with the field and the remedy", (_name, value, code, pointer) => {
  const fault = checkEvent(value);
  expect(fault).toMatchObject({ code, pointer });
  expect(fault?.detail.length).toBeGreaterThan(10);
  expect(EventSchema.safeParse(value).success).toBe(false);
});

test.each([
  ["the longest id", { ...GOOD, id: "x".repeat(ID_LENGTH_MAX) }],
  ["the deepest properties", { ...GOOD, properties: nested(PROPERTY_DEPTH_MAX) }],
  ["the most values", { ...GOOD, properties: { list: Array.from({ length: PROPERTY_NODES_MAX - 1 }, () => 0) } }],
  ["no id, time or properties", { event: "a", customer_id: "b" }],
  ["unix seconds", { ...GOOD, timestamp: 1_732_150_000.5 }],
])("%s is accepted", (_name, value) => {
  expect(checkEvent(value)).toBeUndefined();
  expect(EventSchema.safeParse(value).success).toBe(true);
});
