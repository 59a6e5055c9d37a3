import type { PublicationQuestion } from "@tidemark/contract/publication-schema";
import type { QueryAnswer } from "@tidemark/contract/query-schema";
import type { NearLimitAnswer, ReportAnswer } from "@tidemark/contract/report-schema";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { aliasCustomers } from "./alias-customers.ts";

const SECRET = "5a".repeat(32);

type Row = QueryAnswer["data"][number];
type OrderBy = readonly { readonly by: string; readonly direction: "asc" | "desc" }[];

const COLUMNS: QueryAnswer["columns"] = [
  { name: "endpoint", in: "group", key: "endpoint", kind: "text" },
  { name: "customer", in: "group", key: "customer", kind: "customer" },
  { name: "day", in: "group", key: "day", kind: "text" },
  { name: "value", in: "values", key: "value", kind: "quantity" },
];

/** A row of a query by endpoint, customer and day. */
function cell(customer: string, value = "1", endpoint = "/chat", day = "2026-11-21"): Row {
  return { group: { endpoint, customer, day }, name: `Name of ${customer}`, values: { value } };
}

function query(data: readonly Row[], columns = COLUMNS): QueryAnswer {
  return { columns, data } as Partial<QueryAnswer> as QueryAnswer;
}

function asked(order_by: OrderBy = [{ by: "value", direction: "desc" }]): PublicationQuestion {
  return { query: { order_by } } as unknown as PublicationQuestion;
}

async function alias<Answer extends QueryAnswer | ReportAnswer>(
  answer: Answer,
  question = asked(),
  publicationId = "pub_1",
  secret = SECRET,
): Promise<Answer> {
  return (await aliasCustomers(answer, question, { publicationId, secret })) as Answer;
}

async function aliasesOf(ids: readonly string[], publicationId?: string, secret?: string): Promise<readonly string[]> {
  // Of falling value, so that each stays in its place.
  const rows = ids.map((id, index) => cell(id, String(ids.length - index)));
  const { data } = await alias(query(rows), asked(), publicationId, secret);
  return data.map(({ group }) => group["customer"] ?? "");
}

describe("an alias", () => {
  test("is another for each of ten thousand customers, made of letters that nobody takes for others", async () => {
    const ids = Array.from({ length: 10_000 }, (_, index) => `customer_${index}`);
    const aliases = await aliasesOf(ids);
    expect(new Set(aliases).size).toBe(ids.length);
    for (const one of aliases) expect(one).toMatch(/^Customer [0-9A-HJKMNP-TV-Z]{4}(-[0-9A-HJKMNP-TV-Z]{4})+$/);
  });

  test("follows from the customer, the publication and the secret alone", async () => {
    const [alone] = await aliasesOf(["acme"]);
    expect(await aliasesOf(["globex", "acme", "acme"])).toEqual([expect.anything(), alone, alone]);
    expect(await aliasesOf(["acme"], "pub_2")).not.toEqual([alone]);
    expect(await aliasesOf(["acme"], "pub_1", "00".repeat(32))).not.toEqual([alone]);
  });
});

describe("of a row", () => {
  test("names are left out, and labels and figures stay", async () => {
    const { data } = await alias(query([cell("acme")]));
    expect(data).toEqual([
      {
        group: { endpoint: "/chat", customer: expect.stringMatching(/^Customer /) as string, day: "2026-11-21" },
        name: null,
        values: { value: "1" },
      },
    ]);
  });

  test("nothing stays that tells whose it is, nor what nobody has judged yet", async () => {
    const secret = { balance_id: "alw_acme", product: "acme-special", name: "Acme", email: "ceo@acme.example" };
    const figures = { used: "9", share: "0.9", label: "eu", enforcement: "hard" };
    const cycle = { start: "2026-11-03T14:21:09Z", end: "2026-12-03T14:21:09Z" };
    const data = [{ rank: 1, customer_id: "acme", ...secret, ...figures, cycle }];
    const answer = { report: "near-limit", data } as unknown as NearLimitAnswer;
    const { data: shown } = await alias(answer);
    expect(shown).toEqual([
      {
        rank: 1,
        customer_id: expect.stringMatching(/^Customer /) as string,
        name: null,
        balance_id: null,
        product: null,
        ...figures,
        cycle: { start: "2026-11-03T00:00:00Z", end: "2026-12-04T00:00:00Z" },
      },
    ]);
  });

  test("everything stays in an answer that tells no customers apart", async () => {
    const whole = query(
      [cell("eu")],
      COLUMNS.filter(({ kind }) => kind !== "customer"),
    );
    expect(await alias(whole)).toBe(whole);
  });
});

/** Customers in the order of their ids, as equals come. */
const IDS = Array.from({ length: 12 }, (_, index) => `customer_${String(index).padStart(2, "0")}`);

describe("the order of rows", () => {
  test.each<readonly [ReportAnswer["report"], object, object]>([
    ["top-customers", { total: "5" }, { total: "4" }],
    ["growing", { change: "0.5", previous: "5" }, { change: "0.5", previous: "4" }],
    ["dropping", { change: "-1", previous: "5" }, { change: "-1", previous: "4" }],
    ["dormant", { total: "5" }, { total: "4" }],
    ["near-limit", { share: "1" }, { share: "0.9" }],
    ["heavy-labels", { total: "5" }, { total: "4" }],
    ["hour-of-day", { total: "5" }, { total: "4" }],
    ["error-rate", { total: "5" }, { total: "4" }],
  ])("of %s follows the aliases among equals, and ranks follow the rows", async (report, first, second) => {
    const data = [...IDS.map((id) => ({ id, ...first })), ...IDS.map((id) => ({ id: `${id}x`, ...second }))].map(
      ({ id, ...figures }, index) => ({ rank: index + 1, customer_id: id, name: null, ...figures }),
    );
    const { data: rows } = await alias({ report, data } as unknown as ReportAnswer);
    const aliases = rows.map(({ customer_id }) => customer_id);
    for (const half of [aliases.slice(0, 12), aliases.slice(12)]) expect(half).toEqual(half.toSorted());
    expect(rows.slice(0, 12)).toEqual(rows.slice(0, 12).map((row) => ({ ...row, ...first })));
    expect(rows.map(({ rank }) => rank)).toEqual(data.map(({ rank }) => rank));
  });

  test.each<readonly [string, OrderBy]>([
    ["the measure that it was asked by", [{ by: "value", direction: "desc" }]],
    ["time, where nothing was asked", []],
    ["a group and then nothing", [{ by: "endpoint", direction: "asc" }]],
    ["nothing but the customer, as earlier releases took it", [{ by: "customer", direction: "asc" }]],
  ])("of a query says nothing of ids, ordered by %s", async (_, order) => {
    const rows = IDS.flatMap((id) => ["a", "b"].map((endpoint) => cell(id, "1", endpoint)));
    const first = order[0]?.by ?? "endpoint";
    const byOrder = first === "customer" ? rows : rows.toSorted((a, b) => (endpointOf(a) < endpointOf(b) ? -1 : 1));
    const { data } = await alias(query(byOrder), asked(order));
    for (const endpoint of ["a", "b"]) {
      const own = data.filter((row) => endpointOf(row) === endpoint).map(({ group }) => group["customer"] ?? "");
      expect(own).toEqual(own.toSorted());
    }
  });

  test("of a query keeps what it was asked by, and follows the aliases among equals", async () => {
    const digits = fc.array(fc.constantFrom("1", "2", "3"), { minLength: 1, maxLength: 8 });
    await fc.assert(
      fc.asyncProperty(digits, async (values) => {
        const answerOf = (ids: readonly string[]): QueryAnswer => {
          const rows = values.map((value, index) => cell(ids[index] ?? "", value));
          const byId = (a: Row, b: Row): number => ((a.group["customer"] ?? "") < (b.group["customer"] ?? "") ? -1 : 1);
          return query(rows.toSorted((a, b) => Number(b.values["value"]) - Number(a.values["value"]) || byId(a, b)));
        };
        const { data } = await alias(answerOf(IDS));
        const runs = Map.groupBy(data, (row) => row.values["value"]);
        for (const run of runs.values()) {
          const own = run.map(({ group }) => group["customer"] ?? "");
          expect(own).toEqual(own.toSorted());
        }
        expect(data.map((row) => row.values["value"])).toEqual(values.toSorted().toReversed());
      }),
    );
  });
});

function endpointOf(row: Row): string {
  return row.group["endpoint"] ?? "";
}
