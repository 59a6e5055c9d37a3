import type { QueryAnswer } from "@tidemark/contract/query-schema";
import { expect, test } from "vitest";
import { aliasCustomers } from "./alias-customers.ts";

const SECRET = "5a".repeat(32);

/** A query's answer by customer. */
function answer(ids: readonly string[], kind: "customer" | "text" = "customer"): QueryAnswer {
  return {
    columns: [{ name: "who", in: "group", key: "who", kind }],
    data: ids.map((id) => ({ group: { who: id, endpoint: "/chat" }, name: `Name of ${id}`, values: { value: "1" } })),
  } as Partial<QueryAnswer> as QueryAnswer;
}

async function aliasesOf(ids: readonly string[], publication: string, secret = SECRET): Promise<readonly string[]> {
  const { data } = (await aliasCustomers(answer(ids), publication, secret)) as QueryAnswer;
  return data.map(({ group }) => group["who"] ?? "");
}

test("ten thousand customers have ten thousand aliases, made of letters that nobody takes for others", async () => {
  const ids = Array.from({ length: 10_000 }, (_, index) => `customer_${index}`);
  const aliases = await aliasesOf(ids, "pub_1");
  expect(new Set(aliases).size).toBe(ids.length);
  for (const alias of aliases) expect(alias).toMatch(/^Customer [0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4})+$/);
});

test("an alias follows from the customer, the publication and the secret alone", async () => {
  const [alone] = await aliasesOf(["acme"], "pub_1");
  expect(await aliasesOf(["globex", "acme", "acme"], "pub_1")).toEqual([expect.anything(), alone, alone]);
  expect(await aliasesOf(["acme"], "pub_2")).not.toEqual([alone]);
  expect(await aliasesOf(["acme"], "pub_1", "00".repeat(32))).not.toEqual([alone]);
});

test("names are left out, and labels stay", async () => {
  const { data } = (await aliasCustomers(answer(["acme"]), "pub_1", SECRET)) as QueryAnswer;
  expect(data).toMatchObject([{ name: null, group: { endpoint: "/chat" }, values: { value: "1" } }]);
});

test("an answer that tells no customers apart stays as it is", async () => {
  const whole = answer(["eu"], "text");
  expect(await aliasCustomers(whole, "pub_1", SECRET)).toBe(whole);
});
