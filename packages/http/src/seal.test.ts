import fc from "fast-check";
import { expect, test } from "vitest";
import { seal, unseal } from "./seal.ts";

const SECRET = "5a".repeat(32);
const CONTEXT = ["project", "dst_1", "url"];

test("what is sealed opens again, and shows nothing of itself", async () => {
  await fc.assert(
    fc.asyncProperty(fc.string({ unit: "grapheme" }), async (text) => {
      const sealed = await seal(text, SECRET, CONTEXT);
      expect(await unseal(sealed, SECRET, CONTEXT)).toBe(text);
    }),
  );
  const sealed = await seal("https://hooks.slack.com/services/secret", SECRET, CONTEXT);
  expect(atob(sealed.slice(3))).not.toContain("slack");
});

test("the same text is sealed differently each time", async () => {
  expect(await seal("a", SECRET, CONTEXT)).not.toBe(await seal("a", SECRET, CONTEXT));
});

test.each([
  ["another secret", "6b".repeat(32), CONTEXT],
  ["another project", SECRET, ["other", "dst_1", "url"]],
  ["another destination", SECRET, ["project", "dst_2", "url"]],
  ["another purpose", SECRET, ["project", "dst_1", "secrets"]],
  ["parts that join to the same", SECRET, ["projectdst_1", "", "url"]],
])("it does not open under %s", async (_, secret, context) => {
  expect(await unseal(await seal("text", SECRET, CONTEXT), secret, context)).toBeNull();
});

test("nothing that was changed opens, and nothing that was never sealed", async () => {
  const sealed = await seal("text", SECRET, CONTEXT);
  const bytes = Uint8Array.from(atob(sealed.slice(3)), (character) => character.charCodeAt(0));
  for (const at of bytes.keys()) {
    const changed = bytes.map((byte, index) => (index === at ? byte ^ 1 : byte));
    expect(await unseal(`v1.${btoa(String.fromCharCode(...changed))}`, SECRET, CONTEXT)).toBeNull();
  }
  for (const text of ["", "v1.", "v1.!", "v2.AAAA", sealed.slice(0, -8), "https://plain.acme.com/"])
    expect(await unseal(text, SECRET, CONTEXT)).toBeNull();
});
