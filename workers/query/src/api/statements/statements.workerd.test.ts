import type { MetricInput } from "@tidemark/contract/metric-schema";
import type { Statement, Statements } from "@tidemark/contract/statement-schema";
import { sumAmounts } from "@tidemark/core/money";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { call, json, makeMetric, makeProject, type TestProject } from "../../../test/fixture.ts";
import {
  consume,
  type Fact,
  metersThatFail,
  metersThatLinger,
  report,
  setAllowance,
  subscribeTo,
} from "../../../test/quota-fixture.ts";

const STATEMENTS = "/v1/customers/acme/statements";
const at = (text: string): number => Date.parse(`2026-${text}Z`);
const PRICE = { model: "per_unit", unit_amount: "0.1", currency: "EUR" };

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: at("01-01T00:00:00") });
});
afterEach(() => {
  vi.useRealTimers();
});

interface Sold {
  readonly project: TestProject;
  readonly metric: { readonly id: string; readonly aggregation: "sum" };
  readonly subscription: string;
  readonly tell: (...facts: readonly Fact[]) => Promise<void>;
}

/** A customer who is subscribed to a product from the beginning of the year. */
async function setUp(product: object, rules: Partial<MetricInput> = {}): Promise<Sold> {
  const project = await makeProject();
  const { id } = await makeMetric(project, {
    slug: "calls",
    type: "charge_metered",
    aggregation: "sum",
    value_property: "n",
    ...rules,
  });
  const body = { name: "API", slug: "api", kind: "usage", metric: "calls", ...product };
  await json(project, "POST /v1/products", { body, status: 201 });
  const subscription = await subscribeTo(project, "acme", { product: "api", anchor: "2026-01-01T00:00:00Z" });
  const metric = { id, aggregation: "sum" } as const;
  return {
    project,
    metric,
    subscription: subscription.id,
    tell: (...facts) => report(project, "acme", metric, facts),
  };
}

async function read(project: TestProject, query = ""): Promise<readonly Statement[]> {
  return (await json<Statements>(project, `GET ${STATEMENTS}${query}`)).data;
}

describe("a statement", () => {
  test("is open, then in grace, then final, and says what its cycle came to", async () => {
    const { project, subscription, tell } = await setUp({ prices: [PRICE] });
    await tell({ at: at("01-01T00:00:00"), value: 125 });
    const [open] = await read(project);
    expect(open).toEqual({
      id: `${subscription}@2026-01-01T00:00:00Z`,
      subscription,
      product: "api",
      metric: "calls",
      label: null,
      cycle: { start: "2026-01-01T00:00:00Z", end: "2026-02-01T00:00:00Z" },
      status: "open",
      final_at: null,
      limit: null,
      carried: "0",
      used: "125",
      overage: "0",
      lines: [
        {
          description: "API",
          model: "per_unit",
          segment: null,
          quantity: "125",
          parts: [{ from: "0", to: "125", units: "125", unit_amount: "0.1", amount: "12.5" }],
          exact_amount: "12.5",
          amount: "12.50",
          currency: "EUR",
          rounding: "half_up to 0.01",
        },
      ],
      adjustments: [],
      totals: [{ currency: "EUR", amount: "12.50" }],
    });
    vi.setSystemTime(at("02-01T06:00:00"));
    await tell({ at: at("01-31T23:00:00"), value: 5 });
    const [, grace] = await read(project);
    expect(grace).toMatchObject({ status: "grace", final_at: "2026-02-02T00:00:00Z", totals: [{ amount: "13.00" }] });
    vi.setSystemTime(at("02-02T00:00:00"));
    await tell({ at: at("02-02T00:00:00"), value: 1 });
    const [next, final] = await read(project);
    expect(next).toMatchObject({ status: "open", used: "1", cycle: { start: "2026-02-01T00:00:00Z" } });
    expect(final).toEqual({ ...grace, status: "final" });
  });

  test("stays as it is once it is final: what comes later is an adjustment of the cycle in which it comes", async () => {
    const tiers = [
      { up_to: 100, unit_amount: "1" },
      { up_to: null, unit_amount: "0.5" },
    ];
    const { project, tell } = await setUp({ prices: [{ model: "graduated", tiers, currency: "EUR" }] });
    await tell({ at: at("01-10T00:00:00"), value: 95 });
    vi.setSystemTime(at("02-10T00:00:00"));
    await tell({ at: at("02-10T00:00:00"), value: 7 });
    const before = await read(project, "?cycle=2026-01-01T00:00:00Z");
    await tell({ at: at("01-20T00:00:00"), value: 10 });
    expect(await read(project, "?cycle=2026-01-01T00:00:00Z")).toEqual(before);
    expect(before).toMatchObject([{ status: "final", used: "95", totals: [{ amount: "95.00" }] }]);
    const [february] = await read(project);
    expect(february).toMatchObject({
      used: "17",
      lines: [{ quantity: "7", amount: "7.00" }],
      adjustments: [
        { number: 1, for_cycle: "2026-01-01T00:00:00Z", quantity: "10", exact_amount: "7.5", amount: "7.50" },
      ],
      totals: [{ currency: "EUR", amount: "14.50" }],
    });
  });

  test.each([
    ["total", ["100", "150", "120"]],
    ["delta", ["100", "50", "-30"]],
  ])("of usage that goes on is charged by the %s (V15)", async (charge_on, quantities) => {
    const { project, tell } = await setUp(
      { prices: [PRICE], charge_on },
      { type: "charge_recurring", allow_negative: true },
    );
    for (const [month, value] of [
      ["01", 100],
      ["02", 50],
      ["03", -30],
    ] as const) {
      vi.setSystemTime(at(`${month}-10T00:00:00`));
      await tell({ at: at(`${month}-10T00:00:00`), value });
    }
    const statements = await read(project);
    expect(statements.map(({ lines }) => lines[0]?.quantity).toReversed()).toEqual(quantities);
  });

  test("prices segments by what was in them", async () => {
    const segment = (name: string) => ({
      name,
      filters: { and: [{ property: "r", op: "equals" as const, value: name }] },
    });
    const prices = [
      { ...PRICE, segment: "US" },
      { ...PRICE, unit_amount: "0.2", segment: "EU" },
    ];
    const { project, tell } = await setUp({ prices }, { segments: [segment("EU"), segment("US")] });
    const now = at("01-01T00:00:00");
    await tell({ at: now, value: 1 }, { at: now, value: 10, segments: 1 }, { at: now, value: 100, segments: 3 });
    expect(await read(project)).toMatchObject([
      {
        used: "111",
        lines: [
          { description: "API: US", segment: "US", quantity: "100", amount: "10.00" },
          { description: "API: EU", segment: "EU", quantity: "110", amount: "22.00" },
        ],
        totals: [{ amount: "32.00" }],
      },
    ]);
  });

  test("is there for every month of a customer who is silent", async () => {
    const { project } = await setUp({ prices: [{ model: "flat", amount: "1", currency: "EUR" }] });
    vi.setSystemTime(at("06-10T00:00:00"));
    const statements = await read(project);
    expect(statements.map(({ status, totals }) => [status, totals[0]?.amount])).toEqual([
      ["open", "1.00"],
      ...Array.from({ length: 5 }, () => ["final", "1.00"]),
    ]);
  });

  test("of a subscription that was replaced has what it was sold for then", async () => {
    const { project, subscription, tell } = await setUp({ prices: [PRICE] });
    await json(project, "POST /v1/products", {
      body: {
        name: "Cheap",
        slug: "cheap",
        kind: "usage",
        metric: "calls",
        prices: [{ ...PRICE, unit_amount: "0.01" }],
      },
      status: 201,
    });
    await tell({ at: at("01-01T00:00:00"), value: 100 });
    vi.setSystemTime(at("02-01T06:00:00"));
    const cheap = await subscribeTo(project, "acme", { product: "cheap", replaces: subscription });
    await tell({ at: at("01-31T00:00:00"), value: 100 }, { at: at("02-01T05:00:00"), value: 100 });
    const sold = [
      { subscription: cheap.id, product: "cheap", totals: [{ amount: "1.00" }] },
      { subscription, product: "api", totals: [{ amount: "20.00" }] },
    ];
    expect(await read(project)).toMatchObject(sold);
    vi.setSystemTime(at("02-10T00:00:00"));
    await tell({ at: at("01-30T00:00:00"), value: 50 });
    expect(await read(project)).toMatchObject([
      { ...sold[0], totals: [{ amount: "6.00" }], adjustments: [{ quantity: "50", amount: "5.00" }] },
      sold[1] ?? {},
    ]);
  });

  test("counts what was consumed like what was reported", async () => {
    const { project, tell } = await setUp({ prices: [PRICE], allowance: { base: 100, enforcement: "soft" } });
    await consume(project, "acme", "calls", { amount: 30 });
    await tell({ at: at("01-01T00:00:00"), value: 80 });
    expect(await read(project)).toMatchObject([
      { limit: "100", used: "110", overage: "10", lines: [{ quantity: "110" }] },
    ]);
  });

  test("is there for an allowance without a product, and costs nothing", async () => {
    const { project } = await setUp({ prices: [PRICE] });
    const allowance = await setAllowance(project, "acme", { metric: "calls", base: 10 });
    const found = (await read(project)).find(({ subscription }) => subscription === allowance.id);
    expect(found).toMatchObject({ product: null, limit: "10", lines: [], totals: [] });
  });

  test("of a fee that another takes the place of is charged once for the cycle that goes on, unless it begins anew", async () => {
    for (const [change, amounts] of [
      ["keep", ["20.00", "10.00"]],
      ["prorate", ["20.00", "10.00"]],
      ["restart", ["20.00", "10.00", "10.00"]],
    ] as const) {
      vi.setSystemTime(at("01-01T00:00:00"));
      const project = await makeProject();
      for (const [slug, amount] of [
        ["basic", "10"],
        ["pro", "20"],
      ]) {
        const prices = [{ model: "flat", amount, currency: "EUR" }];
        await json(project, "POST /v1/products", { body: { name: slug, slug, kind: "fee", prices }, status: 201 });
      }
      const basic = await subscribeTo(project, "acme", { product: "basic" });
      vi.setSystemTime(at("02-15T00:00:00"));
      await subscribeTo(project, "acme", { product: "pro", replaces: basic.id, change });
      expect((await read(project)).map(({ totals }) => totals[0]?.amount)).toEqual(amounts);
    }
  });

  test("stays as it is when the metric allows usage below nothing later", async () => {
    const { project, tell } = await setUp({ prices: [PRICE] });
    await tell({ at: at("01-10T00:00:00"), value: -5 });
    vi.setSystemTime(at("02-10T00:00:00"));
    const before = await read(project, "?cycle=2026-01-01T00:00:00Z");
    expect(before).toMatchObject([{ status: "final", totals: [{ amount: "0.00" }] }]);
    await json(project, "PATCH /v1/metrics/calls", { body: { allow_negative: true } });
    const [after] = await read(project, "?cycle=2026-01-01T00:00:00Z");
    expect(after?.totals).toEqual(before[0]?.totals);
    expect(after?.lines).toEqual(before[0]?.lines);
  });

  test("is final with the end of the next cycle, however long the grace is", async () => {
    const { project } = await setUp({
      prices: [PRICE],
      cycle_interval: { count: 1, period: "days" },
      allowance: { base: 10, enforcement: "soft", grace_seconds: 864_000 },
    });
    vi.setSystemTime(at("01-02T06:00:00"));
    const [, grace] = await read(project);
    expect(grace).toMatchObject({ status: "grace", final_at: "2026-01-03T00:00:00Z" });
    vi.setSystemTime(at("01-04T00:00:00"));
    expect((await read(project)).at(-1)).toEqual({ ...grace, status: "final" });
  });

  test("adjusts a cycle however many others were final since", async () => {
    const { project, metric, tell } = await setUp(
      { prices: [PRICE], cycle_interval: { count: 1, period: "days" } },
      { group_by: ["model"] },
    );
    await tell({ at: at("01-01T00:00:00"), value: 10 });
    await setAllowance(project, "acme", {
      metric: "calls",
      base: 10,
      per: "model",
      enforcement: "soft",
      cycle: { anchor: "2026-01-01T00:00:00Z", interval: { count: 1, period: "days" } },
    });
    for (let day = 1; day <= 25; day++) {
      const now = at(`01-${String(day).padStart(2, "0")}T00:00:00`);
      vi.setSystemTime(now);
      const models = Array.from({ length: 90 }, (_, index) => ({ at: now, value: 1, labels: [`model-${index}`] }));
      await report(project, "acme", metric, models);
    }
    await tell({ at: at("01-01T12:00:00"), value: 5 });
    const today = (await read(project, "?limit=500")).find(({ product }) => product === "api");
    expect(today?.adjustments).toMatchObject([{ for_cycle: "2026-01-01T00:00:00Z", quantity: "5", amount: "0.50" }]);
  });

  test("of a product without a metric has its flat price in every cycle, until it is cancelled", async () => {
    const { project } = await setUp({ prices: [] });
    const prices = [{ model: "flat", amount: "49.9", currency: "EUR" }];
    await json(project, "POST /v1/products", {
      body: { name: "Support", slug: "support", kind: "fee", prices },
      status: 201,
    });
    const { id } = await subscribeTo(project, "acme", { product: "support", anchor: "2026-01-31T00:00:00Z" });
    vi.setSystemTime(at("03-15T00:00:00"));
    await call(project, `DELETE /v1/customers/acme/subscriptions/${id}`);
    vi.setSystemTime(at("06-01T00:00:00"));
    const own = (await read(project)).filter(({ subscription }) => subscription === id);
    const common = { metric: null, product: "support", status: "final", totals: [{ amount: "49.90" }] };
    expect(own).toMatchObject([
      { ...common, cycle: { start: "2026-02-28T00:00:00Z", end: "2026-03-15T00:00:00Z" } },
      { ...common, cycle: { start: "2026-01-31T00:00:00Z", end: "2026-02-28T00:00:00Z" } },
      { ...common, cycle: { start: "2025-12-31T00:00:00Z", end: "2026-01-31T00:00:00Z" } },
    ]);
  });
});

/** A year of two subscriptions and an allowance, with something in every month. */
async function aYear(): Promise<TestProject> {
  const { project, tell } = await setUp({
    name: '=Danger, "quoted"'.slice(1),
    prices: [PRICE, { ...PRICE, unit_amount: "0.003" }],
  });
  await json(project, "POST /v1/products", {
    body: { name: "Support", slug: "support", kind: "fee", prices: [{ model: "flat", amount: "5", currency: "EUR" }] },
    status: 201,
  });
  await subscribeTo(project, "acme", { product: "support", anchor: "2026-01-01T00:00:00Z" });
  await setAllowance(project, "acme", {
    metric: "calls",
    base: 10,
    enforcement: "soft",
    cycle: { anchor: "2026-01-01T00:00:00Z" },
  });
  for (let month = 1; month <= 6; month++) {
    const now = at(`0${month}-10T00:00:00`);
    vi.setSystemTime(now);
    await tell({ at: now, value: month * 7 }, { at: Math.max(now - 45 * 86_400_000, at("01-01T00:00:00")), value: 3 });
  }
  return project;
}

describe("the list of statements", () => {
  test("is read page by page, the latest end first, each once", async () => {
    const project = await aYear();
    const all = await read(project, "?limit=500");
    expect(all).toHaveLength(18);
    expect(new Set(all.map(({ id }) => id)).size).toBe(18);
    expect(all.map(({ cycle }) => cycle.end)).toEqual(
      all
        .map(({ cycle }) => cycle.end)
        .toSorted()
        .toReversed(),
    );
    for (const limit of [1, 2, 4, 7]) {
      const found: Statement[] = [];
      for (let cursor = ""; ;) {
        const page = await json<Statements>(project, `GET ${STATEMENTS}?limit=${limit}${cursor}`);
        expect(page.data.length).toBeLessThanOrEqual(limit);
        found.push(...page.data);
        if (page.next_cursor === null) break;
        cursor = `&cursor=${page.next_cursor}`;
      }
      expect(found).toEqual(all);
    }
  });

  test("has each once, also when one becomes final while it is made", async () => {
    const { project } = await setUp({ prices: [PRICE] });
    vi.setSystemTime(at("02-01T06:00:00"));
    const meters = metersThatLinger(() => vi.setSystemTime(at("02-10T00:00:00")));
    const { data } = await json<Statements>(project, `GET ${STATEMENTS}`, { bindings: { METERS: meters } });
    expect(data.map(({ cycle, status }) => [cycle.start, status])).toEqual([
      ["2026-02-01T00:00:00Z", "open"],
      ["2026-01-01T00:00:00Z", "final"],
    ]);
  });

  test("can be of the cycles that begin at an instant", async () => {
    const project = await aYear();
    const march = await read(project, "?cycle=2026-03-01T00:00:00Z");
    expect(march).toEqual(
      (await read(project, "?limit=500")).filter(({ cycle }) => cycle.start === "2026-03-01T00:00:00Z"),
    );
    expect(march).toHaveLength(3);
    expect(await read(project, "?cycle=2026-03-02T00:00:00Z")).toEqual([]);
    expect((await call(project, `GET ${STATEMENTS}?cycle=march`)).status).toBe(400);
  });

  test("says the same as CSV: a row for each line and adjustment, whose amounts add up to the totals", async () => {
    const project = await aYear();
    const statements = await read(project, "?limit=500");
    const response = await call(project, `GET ${STATEMENTS}?limit=500`, { headers: { accept: "text/csv" } });
    expect(response.headers.get("content-type")).toContain("text/csv");
    const [header = "", ...rows] = (await response.text()).trimEnd().split("\r\n");
    const columns = header.split(",");
    const cells = rows.map(
      (row) => row.match(/("([^"]|"")*"|[^,]*)(,|$)/g)?.map((cell) => cell.replace(/,$/, "")) ?? [],
    );
    const column = (name: string) => cells.map((row) => row[columns.indexOf(name)] ?? "");
    const parts = statements.flatMap(({ lines, adjustments }) => [...lines, ...adjustments]);
    expect(column("amount")).toEqual(parts.map(({ amount }) => amount));
    expect(column("quantity")).toEqual(parts.map(({ quantity }) => quantity));
    expect(column("kind").filter((kind) => kind === "adjustment").length).toBeGreaterThan(3);
    const totals = statements.flatMap((statement) => statement.totals.map(({ amount }) => amount));
    expect(sumAmounts(column("amount"))).toBe(sumAmounts(totals));
    expect(column("description")).toContain('"Danger, ""quoted"""');
  });

  test("as CSV names the next page", async () => {
    const project = await aYear();
    const response = await call(project, `GET ${STATEMENTS}?limit=2&format=csv`);
    const next = /^<([^>]+)>; rel="next"$/.exec(response.headers.get("link") ?? "")?.[1] ?? "";
    expect((await call(project, `GET ${next}`)).headers.get("content-type")).toContain("text/csv");
  });
});

test("statements are the project's own, and need the customer's meter", async () => {
  const { project } = await setUp({ prices: [PRICE] });
  const other = await makeProject();
  expect((await call(other, `GET ${STATEMENTS}`)).status).toBe(404);
  expect((await call(project, `GET ${STATEMENTS}`, { key: project.keys.ingest })).status).toBe(403);
  expect((await call(project, `GET ${STATEMENTS}?cursor=x`)).status).toBe(400);
  expect((await call(project, `GET ${STATEMENTS}`, { bindings: { METERS: metersThatFail() } })).status).toBe(503);
});
