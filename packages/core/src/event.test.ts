import fc from "fast-check";
import { expect, test } from "vitest";
import { parseExactJson } from "./event.ts";

const parseJson = (text: string): unknown => parseExactJson(text).value;

test.each([
  ["12345678901234567890", "12345678901234567890"],
  ["9007199254740993", "9007199254740993"],
  ["9007199254740992", 9007199254740992],
  ["0.1234567890123456789", "0.1234567890123456789"],
  ["0.10000000000000000", 0.1],
  ["1e400", "1e400"],
  ["-1E+999", "-1E+999"],
  ["1e-400", "1e-400"],
  ["1e100", 1e100],
  ["0.1", 0.1],
  ["1.5e3", 1500],
])("the number %s stays what it is", (text, expected) => {
  expect(parseJson(`{"a":${text}}`)).toEqual({ a: expected });
  expect(parseJson(`[ ${text}]`)).toEqual([expected]);
});

test("digits in strings and keys are left alone", () => {
  const text = '{"12345678901234567890":"12345678901234567890, 12345678901234567890"}';
  expect(parseJson(text)).toEqual(JSON.parse(text));
});

test("what JavaScript writes reads back as it was", () => {
  fc.assert(
    fc.property(fc.jsonValue(), (value) => {
      const text = JSON.stringify(value);
      expect(parseJson(text)).toEqual(JSON.parse(text));
    }),
  );
});

test("a decimal of any length keeps its value", () => {
  const decimal = fc
    .tuple(fc.bigInt({ min: -(10n ** 30n), max: 10n ** 30n }), fc.stringMatching(/^[0-9]{0,20}$/))
    .map(([whole, fraction]) => (fraction === "" ? `${whole}` : `${whole}.${fraction}`));
  const normal = (text: string): string => {
    const [whole = "", fraction = ""] = text.split(".");
    const trimmed = fraction.replace(/0+$/, "");
    return trimmed === "" ? whole.replace(/^-0$/, "0") : `${whole}.${trimmed}`;
  };
  fc.assert(
    fc.property(decimal, (text) => {
      const value = parseJson(`{"a":${text}}`) as { a: number | string };
      if (typeof value.a === "string") expect(value.a).toBe(text);
      else expect(normal(plain(value.a))).toBe(normal(text));
    }),
    { numRuns: 2_000 },
  );
});

/** A number without an exponent. */
function plain(value: number): string {
  const text = String(value);
  const [mantissa = "", exponent] = text.split("e");
  if (exponent === undefined) return text;
  const [whole = "", fraction = ""] = mantissa.replace("-", "").split(".");
  const shift = Number(exponent);
  const digits = whole + fraction;
  const point = whole.length + shift;
  const moved =
    point <= 0
      ? `0.${"0".repeat(-point)}${digits}`
      : digits.length <= point
        ? digits.padEnd(point, "0")
        : `${digits.slice(0, point)}.${digits.slice(point)}`;
  return (mantissa.startsWith("-") ? "-" : "") + moved;
}
