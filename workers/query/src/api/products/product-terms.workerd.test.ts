import type { ProblemBody } from "@tidemark/contract";
import type { Product } from "@tidemark/contract/product-schema";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { call, json, makeMetric, makeProject, type TestProject } from "../../../test/fixture.ts";
import { subscribeTo } from "../../../test/quota-fixture.ts";

const PRICE = { model: "per_unit", unit_amount: "0.0025", currency: "EUR", segment: null };

/** A project with a metric of a type, of two segments and a label. */
async function setUp(
  type: "limit_metered" | "limit_recurring" | "charge_metered" | "charge_recurring" = "limit_metered",
) {
  const project = await makeProject();
  const segment = (name: string) => ({
    name,
    filters: { and: [{ property: "r", op: "equals" as const, value: name }] },
  });
  await makeMetric(project, {
    slug: "calls",
    type,
    aggregation: "sum",
    value_property: "n",
    decimal_places: 2,
    group_by: ["model"],
    segments: [segment("EU"), segment("US")],
  });
  return project;
}

function post(project: TestProject, body: object): Promise<Product> {
  return json(project, "POST /v1/products", {
    body: { name: "API", kind: "usage", metric: "calls", ...body },
    status: 201,
  });
}

async function catalogVersion({ id }: TestProject): Promise<number | null> {
  return env.DB.prepare("SELECT catalog_version FROM projects WHERE id = ?").bind(id).first("catalog_version");
}

describe("a product's terms", () => {
  test("are kept with the defaults of the metric's type, and every amount as an exact decimal", async () => {
    const project = await setUp("limit_recurring");
    const tiers = [
      { up_to: 1000, unit_amount: 0.01 },
      { up_to: null, unit_amount: "0.0050", flat_amount: "1.0" },
    ];
    const made = await post(project, {
      prices: [PRICE, { model: "graduated", tiers, currency: "EUR", segment: "EU" }],
      allowance: { base: 1000.5, grace_seconds: 0 },
      cycle_interval: { count: 2, period: "weeks" },
    });
    expect(made).toMatchObject({
      prices: [
        PRICE,
        {
          model: "graduated",
          segment: "EU",
          tiers: [
            { up_to: "1000", unit_amount: "0.01", flat_amount: "0" },
            { up_to: null, unit_amount: "0.005", flat_amount: "1" },
          ],
        },
      ],
      charge_on: "total",
      cycle_interval: { count: 2, period: "weeks" },
      allowance: {
        base: "1000.5",
        enforcement: "soft",
        carryover: { cap: null, expires_after: null, overage: "forgive" },
        unavailable: "closed",
        late: "adjust",
        grace_seconds: 0,
        per: null,
        starts_from: "empty",
      },
      default: false,
    });
    expect(await json(project, "GET /v1/products/api")).toEqual(made);
  });

  test("change by what is named, the allowance as a whole", async () => {
    const project = await setUp();
    const made = await post(project, { prices: [PRICE], allowance: { base: 10, unavailable: "open" } });
    const patch = (body: object) => json<Product>(project, "PATCH /v1/products/api", { body });
    const renamed = await patch({ name: "Calls" });
    expect(renamed).toEqual({ ...made, name: "Calls", updated_at: renamed.updated_at });
    expect((await patch({ allowance: { base: 20 } })).allowance).toMatchObject({ base: "20", unavailable: "closed" });
    expect(await patch({ prices: [], allowance: null, charge_on: "delta" })).toMatchObject({
      prices: [],
      allowance: null,
      charge_on: "delta",
    });
  });

  test("announce themselves in the catalog with every change", async () => {
    const project = await setUp();
    const before = (await catalogVersion(project)) ?? 0;
    await post(project, {});
    await json(project, "PATCH /v1/products/api", { body: { allowance: { base: 1 } } });
    await call(project, "DELETE /v1/products/api");
    expect(await catalogVersion(project)).toBe(before + 3);
  });

  test.each([
    [{ prices: [PRICE, { ...PRICE, currency: "USD" }] }, ["/prices/1/currency"]],
    [{ prices: [{ ...PRICE, segment: "Asia" }] }, ["/prices/0/segment"]],
    [{ prices: Array.from({ length: 21 }, () => PRICE) }, ["/prices"]],
    [{ prices: [{ ...PRICE, unit_amount: "-1" }] }, ["/prices/0/unit_amount"]],
    [{ allowance: { base: "0.001" } }, ["/allowance/base"]],
    [{ allowance: { base: -1 } }, ["/allowance/base"]],
    [{ allowance: { base: "99999999999999999999" } }, ["/allowance/base"]],
    [{ allowance: { base: 1e21 } }, ["/allowance/base"]],
    [{ allowance: { base: 1, per: "region" } }, ["/allowance/per"]],
    [{ allowance: { base: 1, starts_from: "last" } }, ["/allowance/starts_from"]],
    [{ allowance: { base: null, enforcement: "hard" } }, ["/allowance/enforcement"]],
    [{ allowance: { base: 1, grace_seconds: 31 * 86_400 + 1 } }, ["/allowance/grace_seconds"]],
    [{ allowance: { base: 1, carryover: { cap: "x" } } }, ["/allowance/carryover/cap"]],
    [{ allowance: { base: 1, carryover: { cap: "0.001" } } }, ["/allowance/carryover/cap"]],
    [{ allowance: { base: 1, cycle: {} } }, ["/allowance/cycle"]],
    [{ cycle_interval: { count: 37, period: "months" } }, ["/cycle_interval/count"]],
    [{ cycle_interval: { count: 0, period: "days" } }, ["/cycle_interval/count"]],
    [{ kind: "fee", metric: null, prices: [PRICE] }, ["/prices/0/model"]],
    [{ kind: "seat", metric: null, allowance: { base: 1 } }, ["/allowance"]],
    [{ kind: "fee", metric: null, default: true }, ["/default"]],
    [{ prices: [{ ...PRICE, segment: "Asia" }], allowance: { base: -1 } }, ["/prices/0/segment", "/allowance/base"]],
  ])("are not %j", async (body, pointers) => {
    const problem = await json<ProblemBody>(await setUp(), "POST /v1/products", {
      body: { name: "API", kind: "usage", metric: "calls", ...body },
      status: 400,
    });
    expect(problem.errors?.map(({ pointer }) => pointer)).toEqual(pointers);
    for (const { detail } of problem.errors ?? []) expect(detail).toMatch(/^[A-Z].*\.$/);
  });

  test("have no allowance where usage never starts again", async () => {
    const problem = await json<ProblemBody>(await setUp("charge_recurring"), "POST /v1/products", {
      body: { name: "API", kind: "usage", metric: "calls", allowance: { base: 1, enforcement: "hard" } },
      status: 400,
    });
    expect(problem.errors).toMatchObject([{ pointer: "/allowance/base" }]);
  });
});

describe("the default product", () => {
  const slugs = async (project: TestProject) =>
    (await json<{ data: Product[] }>(project, "GET /v1/products")).data
      .filter((product) => product.default)
      .map(({ slug }) => slug);

  test("is one at most: another takes its place", async () => {
    const project = await setUp();
    await post(project, { slug: "a", default: true });
    await post(project, { slug: "b", default: true });
    expect(await slugs(project)).toEqual(["b"]);
    await json(project, "PATCH /v1/products/a", { body: { default: true } });
    expect(await slugs(project)).toEqual(["a"]);
    await json(project, "PATCH /v1/products/a", { body: { name: "A" } });
    expect(await slugs(project)).toEqual(["a"]);
    await json(project, "PATCH /v1/products/a", { body: { default: false } });
    expect(await slugs(project)).toEqual([]);
  });

  test("stays where it is when the one that wants its place is refused", async () => {
    const project = await setUp();
    await post(project, { slug: "a", default: true });
    const body = { name: "B", kind: "usage", metric: "calls", slug: "a", default: true };
    expect((await call(project, "POST /v1/products", { body })).status).toBe(409);
    expect(await slugs(project)).toEqual(["a"]);
  });
});

describe("a product that somebody is subscribed to", () => {
  test("cannot be deleted, nor its metric, until the subscription has ended", async () => {
    const project = await setUp();
    await post(project, { allowance: { base: 5 } });
    const { id } = await subscribeTo(project, "acme/1", { product: "api" });
    const pointer = `/customers/acme~11/subscriptions/${id}`;
    const refused = await json<ProblemBody>(project, "DELETE /v1/products/api", { status: 409 });
    expect(refused.errors).toMatchObject([{ pointer, code: "live_subscription" }]);
    await json(project, "PATCH /v1/products/api", { body: { kind: "fee", metric: null, allowance: null } });
    const kept = await json<ProblemBody>(project, "DELETE /v1/metrics/calls", { status: 409 });
    expect(kept.errors).toMatchObject([{ pointer, code: "live_subscription" }]);
    expect((await call(project, `DELETE /v1/customers/acme%2F1/subscriptions/${id}`)).status).toBe(204);
    expect((await call(project, "DELETE /v1/products/api")).status).toBe(204);
    expect((await call(project, "DELETE /v1/metrics/calls")).status).toBe(204);
  });

  test("keeps the segments that it prices in their places", async () => {
    const project = await setUp();
    await post(project, { prices: [{ ...PRICE, segment: "US" }] });
    const segment = (name: string) => ({ name, filters: { and: [{ property: "r", op: "equals", value: name }] } });
    const patch = (names: readonly string[]) =>
      call(project, "PATCH /v1/metrics/calls", { body: { segments: names.map(segment) } });
    expect((await patch(["US", "EU"])).status).toBe(200);
    const { id } = await subscribeTo(project, "acme", { product: "api" });
    for (const names of [["EU", "US"], ["US"], []]) expect((await patch(names)).status).toBe(409);
    expect((await patch(["US", "EU", "Asia"])).status).toBe(200);
    await call(project, `DELETE /v1/customers/acme/subscriptions/${id}`);
    expect((await patch(["EU"])).status).toBe(409);
    expect((await patch(["Asia", "US"])).status).toBe(200);
    await json(project, "PATCH /v1/products/api", { body: { prices: [] } });
    expect((await patch(["EU"])).status).toBe(200);
  });

  test("lists no more than twenty customers", async () => {
    const project = await setUp();
    const { id } = await post(project, {});
    await env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 10 UNION ALL SELECT i + 1 FROM n WHERE i < 34)
       INSERT INTO definitions SELECT ?, 'c' || i, 'sub_1', 'met', ?, 'closed', 1, '{}', 0, NULL FROM n`,
    )
      .bind(project.id, id)
      .run();
    const refused = await json<ProblemBody>(project, "DELETE /v1/products/api", { status: 409 });
    expect(refused.errors).toHaveLength(20);
    expect(refused.detail).toContain("more than 20");
  });
});
