import fc from "fast-check";
import { expect, test } from "vitest";
import { parseOpenMetrics } from "../../../test/parse-openmetrics.ts";
import { type Family, writeOpenMetrics } from "./write-openmetrics.ts";

const family = (over: Partial<Family>): Family => ({ name: "m", type: "gauge", help: "H.", samples: [], ...over });

test("a family is its type, unit and help, and then its samples", () => {
  const text = writeOpenMetrics([
    family({ name: "lag_seconds", unit: "seconds", samples: [{ labels: {}, value: 1.5 }] }),
    family({ name: "build", type: "info", samples: [{ labels: { version: "1" }, value: 1 }] }),
    family({ name: "none" }),
  ]);
  expect(text).toBe(
    [
      "# TYPE lag_seconds gauge",
      "# UNIT lag_seconds seconds",
      "# HELP lag_seconds H.",
      "lag_seconds 1.5",
      "# TYPE build info",
      "# HELP build H.",
      'build_info{version="1"} 1',
      "# TYPE none gauge",
      "# HELP none H.",
      "# EOF",
      "",
    ].join("\n"),
  );
});

test.each([
  ['a "b"', 'a \\"b\\"'],
  ["a\\b", "a\\\\b"],
  ["a\nb", "a\\nb"],
  ["a\ud800", "a\ufffd"],
])("what would end a value is escaped: %j", (value, escaped) => {
  const text = writeOpenMetrics([family({ help: value, samples: [{ labels: { l: value }, value: 0 }] })]);
  expect(text.split("\n").slice(1, 3)).toEqual([`# HELP m ${escaped}`, `m{l="${escaped}"} 0`]);
});

test("whatever text a label holds, it is read back", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.string({ unit: "binary" }), (help, value) => {
      const text = writeOpenMetrics([family({ help, samples: [{ labels: { a: value, b: "x" }, value: 7 }] })]);
      expect(parseOpenMetrics(text)).toEqual([
        {
          name: "m",
          type: "gauge",
          unit: null,
          help: help.toWellFormed(),
          samples: [{ name: "m", labels: { a: value.toWellFormed(), b: "x" }, value: 7 }],
        },
      ]);
    }),
  );
});
