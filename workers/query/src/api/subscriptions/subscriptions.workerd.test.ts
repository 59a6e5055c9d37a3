import type { ProblemBody } from "@tidemark/contract";
import type { Subscription } from "@tidemark/contract/subscription-schema";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { call, json, makeMetric, makeProject, type TestProject } from "../../../test/fixture.ts";
import { consume, withoutDatabase } from "../../../test/quota-fixture.ts";

const NOW = Date.parse("2026-03-10T12:00:00Z");
const SUBSCRIPTIONS = "/v1/customers/acme/subscriptions";
const PRICE = { model: "per_unit", unit_amount: "0.01", currency: "EUR", segment: null } as const;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

/** A project with two plans on one metric, one on another, and a fee. */
async function setUp(): Promise<TestProject> {
  const project = await makeProject();
  await makeMetric(project, { slug: "calls", type: "limit_metered" });
  await makeMetric(project, { slug: "seats", type: "charge_metered" });
  const products = [
    { slug: "small", kind: "usage", metric: "calls", allowance: { base: 100 }, prices: [PRICE] },
    { slug: "large", kind: "usage", metric: "calls", allowance: { base: 1000, unavailable: "open" } },
    { slug: "seat", kind: "connected_seat", metric: "seats", prices: [PRICE] },
    { slug: "support", kind: "fee", prices: [{ model: "flat", amount: "50", currency: "EUR" }] },
  ];
  for (const product of products)
    await json(project, "POST /v1/products", { body: { name: product.slug, ...product }, status: 201 });
  return project;
}

function post<Answer = Subscription>(project: TestProject, body: object, status = 201): Promise<Answer> {
  return json(project, `POST ${SUBSCRIPTIONS}`, { body, status });
}

async function live(project: TestProject): Promise<readonly Subscription[]> {
  return (await json<{ data: Subscription[] }>(project, `GET ${SUBSCRIPTIONS}`)).data;
}

describe("a subscription", () => {
  test("brings the product's allowance, and says what was sold", async () => {
    const project = await setUp();
    const made = await post(project, { product: "small", anchor: "2026-01-31T00:00:00Z", time_zone: "Europe/Berlin" });
    expect(made).toMatchObject({
      id: expect.stringMatching(/^sub_[0-9a-f]{16}$/) as string,
      product: "small",
      name: "small",
      metric: "calls",
      prices: [PRICE],
      charge_on: "total",
      cycle: {
        interval: { count: 1, period: "months" },
        anchor: "2026-01-31T00:00:00Z",
        time_zone: "Europe/Berlin",
      },
      allowance: { base: "100", enforcement: "hard", unavailable: "closed" },
      ended_at: null,
      standing: [{ limit: "100", cycle: { start: "2026-02-28T00:00:00Z", end: "2026-03-30T23:00:00Z" } }],
    });
    expect(await consume(project, "acme", "calls", { amount: 101 })).toMatchObject({ allowed: false });
    expect(await live(project)).toEqual([made]);
    expect(await json(project, `GET ${SUBSCRIPTIONS}/${made.id}`)).toEqual(made);
  });

  test("keeps its terms when the product changes, and a later one has the new ones", async () => {
    const project = await setUp();
    const made = await post(project, { product: "small" });
    await json(project, "PATCH /v1/products/small", { body: { slug: "tiny", allowance: { base: 5 }, prices: [] } });
    expect(await live(project)).toEqual([made]);
    const other = await json(project, "POST /v1/customers/globex/subscriptions", {
      body: { product: "tiny" },
      status: 201,
    });
    expect(other).toMatchObject({ product: "tiny", allowance: { base: "5" }, prices: [] });
  });

  test("is the only one of its metric: another has to say which it replaces", async () => {
    const project = await setUp();
    const made = await post(project, { product: "small" });
    const refused = await post<ProblemBody>(project, { product: "large" }, 409);
    expect(refused.detail).toContain(made.id);
    expect(refused.errors).toMatchObject([{ pointer: "/replaces", code: "subscribed" }]);
    await post(project, { product: "seat" });
    expect(await live(project)).toHaveLength(2);
  });

  test("is the same one when the request comes again after the database failed", async () => {
    const project = await setUp();
    const made = await post(project, { product: "small" });
    await consume(project, "acme", "calls", { amount: 30 });
    const bindings = withoutDatabase("definitions");
    const wanted = { product: "large", replaces: made.id, change: "restart" };
    vi.setSystemTime(NOW + 1_000);
    expect((await call(project, `POST ${SUBSCRIPTIONS}`, { body: wanted, bindings })).status).toBe(503);
    await consume(project, "acme", "calls", { amount: 7 });
    vi.setSystemTime(NOW + 2_000);
    const again = await post(project, wanted);
    expect(again.standing).toMatchObject([{ limit: "1000", used: "7", cycle: { start: "2026-03-10T12:00:01Z" } }]);
    expect(await live(project)).toEqual([again]);
    const rows = await env.DB.prepare("SELECT id, ended_at FROM definitions WHERE project_id = ?")
      .bind(project.id)
      .all();
    expect(rows.results.map(({ id, ended_at }) => [id, ended_at === null])).toEqual(
      expect.arrayContaining([
        [made.id, false],
        [again.id, true],
      ]) as unknown,
    );
    expect(rows.results).toHaveLength(2);
    expect((await call(project, "DELETE /v1/products/small")).status).toBe(204);
  });

  test("ends when it is cancelled, and denies from then on", async () => {
    const project = await setUp();
    const made = await post(project, { product: "small" });
    vi.setSystemTime(NOW + 5_000);
    for (const status of [204, 204])
      expect((await call(project, `DELETE ${SUBSCRIPTIONS}/${made.id}`)).status).toBe(status);
    expect(await live(project)).toEqual([]);
    expect(await json(project, `GET ${SUBSCRIPTIONS}/${made.id}`)).toMatchObject({
      ended_at: "2026-03-10T12:00:05Z",
      standing: [],
    });
    expect(await consume(project, "acme", "calls")).toMatchObject({ allowed: false, reason: "no_allowance" });
    expect((await post(project, { product: "small" })).id).not.toBe(made.id);
  });
});

describe("a subscription that replaces another", () => {
  test.each([
    ["keep", "2026-03-01T00:00:00Z", "1000", "60"],
    ["prorate", "2026-03-01T00:00:00Z", "550", "60"],
    ["restart", "2026-03-16T00:00:00Z", "1000", "0"],
  ])("by %s goes on from there", async (change, start, limit, used) => {
    const project = await setUp();
    await json(project, "PATCH /v1/products/small", { body: { cycle_interval: { count: 30, period: "days" } } });
    await json(project, "PATCH /v1/products/large", { body: { cycle_interval: { count: 30, period: "days" } } });
    vi.setSystemTime(Date.parse("2026-03-01T00:00:00Z"));
    const small = await post(project, { product: "small" });
    await consume(project, "acme", "calls", { amount: 60 });
    vi.setSystemTime(Date.parse("2026-03-16T00:00:00Z"));
    const large = await post(project, { product: "large", replaces: small.id, change });
    expect(large.standing).toMatchObject([{ limit, used, cycle: { start } }]);
    expect((await live(project)).map(({ id }) => id)).toEqual([large.id]);
    expect((await call(project, "DELETE /v1/products/small")).status).toBe(204);
    expect((await call(project, "DELETE /v1/products/large")).status).toBe(409);
  });

  test("cannot take the place of one of another metric, nor of one that is not there", async () => {
    const project = await setUp();
    const seat = await post(project, { product: "seat" });
    for (const replaces of [seat.id, "sub_0000000000000000"]) {
      const problem = await post<ProblemBody>(project, { product: "small", replaces }, 400);
      expect(problem.errors).toMatchObject([{ pointer: "/replaces" }]);
    }
  });
});

describe("a subscription to a product without a metric", () => {
  test("is there without a meter, and ends", async () => {
    const project = await setUp();
    const made = await post(project, { product: "support", anchor: "2026-01-31T00:00:00Z" });
    expect(made).toMatchObject({
      metric: null,
      allowance: null,
      standing: [],
      prices: [{ model: "flat", amount: "50" }],
    });
    expect(await live(project)).toEqual([made]);
    expect((await call(project, "DELETE /v1/products/support")).status).toBe(409);
    expect((await post<ProblemBody>(project, { product: "support" }, 409)).detail).toContain(made.id);
    vi.setSystemTime(NOW + 5_000);
    expect((await call(project, `DELETE ${SUBSCRIPTIONS}/${made.id}`)).status).toBe(204);
    expect(await live(project)).toEqual([]);
    expect(await json(project, `GET ${SUBSCRIPTIONS}/${made.id}`)).toMatchObject({ ended_at: "2026-03-10T12:00:05Z" });
    expect((await call(project, "DELETE /v1/products/support")).status).toBe(204);
  });

  test("takes the place of another one", async () => {
    const project = await setUp();
    const body = { name: "Gold", slug: "gold", kind: "fee" };
    await json(project, "POST /v1/products", { body, status: 201 });
    const made = await post(project, { product: "support" });
    vi.setSystemTime(NOW + 5_000);
    const gold = await post(project, { product: "gold", replaces: made.id });
    expect(await live(project)).toEqual([gold]);
  });

  test("is replaced once, by whichever of two requests comes first", async () => {
    const project = await setUp();
    const made = await post(project, { product: "support" });
    for (const slug of ["gold", "silver"])
      await json(project, "POST /v1/products", { body: { name: slug, slug, kind: "fee" }, status: 201 });
    const answers = await Promise.all(
      ["gold", "silver"].map((product) =>
        call(project, `POST ${SUBSCRIPTIONS}`, { body: { product, replaces: made.id } }),
      ),
    );
    const won = answers.find(({ status }) => status === 201);
    const lost = answers.find(({ status }) => status === 409);
    expect(await live(project)).toEqual([await won?.json()]);
    expect(await lost?.json()).toMatchObject({ detail: expect.stringContaining(made.id) as string });
  });
});

test("a product that prices a segment which its metric does not have any more cannot be subscribed to", async () => {
  const project = await makeProject();
  const segments = [{ name: "EU", filters: { and: [{ property: "r", op: "equals" as const, value: "EU" }] } }];
  await makeMetric(project, { slug: "calls", type: "charge_metered", segments });
  const body = { name: "API", slug: "api", kind: "usage", metric: "calls", prices: [{ ...PRICE, segment: "EU" }] };
  await json(project, "POST /v1/products", { body, status: 201 });
  for (const table of ["metrics", "metric_versions"])
    await env.DB.prepare(
      `UPDATE ${table} SET definition = json_set(definition, '$.segments', json('[]')) WHERE project_id = ?`,
    )
      .bind(project.id)
      .run();
  expect((await post<ProblemBody>(project, { product: "api" }, 409)).detail).toContain("EU");
});

test.each([
  [{}, ["/product"]],
  [{ product: "nothing" }, ["/product"]],
  [{ product: "small", anchor: "now" }, ["/anchor"]],
  [{ product: "small", time_zone: "Mars/Olympus" }, ["/time_zone"]],
  [{ product: "small", change: "restart" }, ["/change"]],
  [{ product: "small", plan: "x" }, ["/plan"]],
])("a subscription is not made of %j", async (body, pointers) => {
  const problem = await post<ProblemBody>(await setUp(), body, 400);
  expect(problem.errors?.map(({ pointer }) => pointer)).toEqual(pointers);
});

test("another project's key finds no subscription", async () => {
  const [project, other] = [await setUp(), await setUp()];
  const { id } = await post(project, { product: "support" });
  for (const target of [`GET ${SUBSCRIPTIONS}`, `GET ${SUBSCRIPTIONS}/${id}`, `DELETE ${SUBSCRIPTIONS}/${id}`])
    expect((await call(other, target)).status, target).toBe(404);
});
