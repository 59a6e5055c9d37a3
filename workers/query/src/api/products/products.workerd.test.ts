import { NAME_LENGTH_MAX, PRODUCTS_MAX, type ProblemBody } from "@tidemark/contract";
import { SLUG_LENGTH_MAX } from "@tidemark/contract/metric-schema";
import type { Product } from "@tidemark/contract/product-schema";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { call, json, makeMetric, makeProject, type TestProject } from "../../../test/fixture.ts";

const VALUES = { sum: "n", max: "n", min: "n", latest: "n" } as const;

function post(project: TestProject, body: object): Promise<Product> {
  return json(project, "POST /v1/products", { body, status: 201 });
}

function patch(project: TestProject, slug: string, body: object): Promise<Product> {
  return json(project, `PATCH /v1/products/${slug}`, { body });
}

/** A project with a metric of each aggregation, by its name. */
async function makeMetrics(): Promise<TestProject> {
  const project = await makeProject();
  for (const aggregation of ["count", "sum", "max", "min", "unique", "latest"] as const)
    await makeMetric(project, {
      slug: aggregation,
      aggregation,
      value_property: aggregation in VALUES ? "n" : null,
      distinct_by: aggregation === "unique" ? "user_id" : null,
    });
  return project;
}

describe("a product of each kind takes the metrics that it can (features 77, 83)", () => {
  const every = ["count", "sum", "max", "min", "unique", "latest"];
  test.each([
    ["fee", { none: "fee" }],
    ["seat", { none: "seat", count: "connected_seat" }],
    ["connected_seat", { count: "connected_seat" }],
    ["usage", { count: "usage", sum: "usage" }],
    ["credit", { count: "credit", sum: "credit" }],
  ])("%s", async (kind, allowed: Record<string, string>) => {
    const project = await makeMetrics();
    const outcomes: Record<string, string> = {};
    for (const metric of ["none", ...every]) {
      const body = { name: metric, kind, metric: metric === "none" ? null : metric };
      const response = await call(project, "POST /v1/products", { body });
      const answer: Product & ProblemBody = await response.json();
      if (response.status === 201) outcomes[metric] = answer.kind;
      else {
        expect([response.status, answer.errors?.[0]?.pointer]).toEqual([400, "/metric"]);
        const words =
          kind === "fee" ? "has no metric" : kind === "usage" || kind === "credit" ? "count or sum" : "count";
        expect(answer.detail).toContain(words);
      }
    }
    expect(outcomes).toEqual(allowed);
  });
});

describe("a seat (feature 78)", () => {
  test("becomes a connected seat with a metric, and a seat again without", async () => {
    const project = await makeMetrics();
    await post(project, { name: "Seats", kind: "seat" });
    expect(await patch(project, "seats", { metric: "count" })).toMatchObject({
      kind: "connected_seat",
      metric: "count",
    });
    expect(await patch(project, "seats", { name: "Members" })).toMatchObject({
      kind: "connected_seat",
      metric: "count",
    });
    expect(await patch(project, "seats", { metric: null })).toMatchObject({ kind: "seat", metric: null });
    const problem = await json<ProblemBody>(project, "PATCH /v1/products/seats", {
      body: { metric: "sum" },
      status: 400,
    });
    expect(problem.detail).toContain("takes a metric of aggregation count; this one is sum");
  });
});

describe("a product", () => {
  test("is answered with every field, and kept", async () => {
    const project = await makeMetrics();
    const made = await post(project, { name: "API usage", kind: "usage", metric: "count" });
    expect(made).toEqual({
      id: expect.stringMatching(/^prod_[0-9A-Za-z]{20}$/) as string,
      slug: "api_usage",
      name: "API usage",
      description: "",
      kind: "usage",
      metric: "count",
      prices: [],
      charge_on: "total",
      cycle_interval: { count: 1, period: "months" },
      allowance: null,
      default: false,
      created_at: made.updated_at,
      updated_at: expect.stringMatching(/Z$/) as string,
    });
    expect(await json(project, "GET /v1/products/api_usage")).toEqual(made);
    expect(await json(project, "GET /v1/products")).toEqual({ data: [made], next_cursor: null });
  });

  test("changes by what is named, and only that", async () => {
    const project = await makeMetrics();
    const made = await post(project, { name: "API usage", kind: "usage", metric: "count", description: "d" });
    const changed = await patch(project, "api_usage", { slug: "api", name: "API", kind: "credit", metric: "sum" });
    expect(changed).toEqual({
      ...made,
      slug: "api",
      name: "API",
      kind: "credit",
      metric: "sum",
      updated_at: changed.updated_at,
    });
    expect(await patch(project, "api", { description: null })).toMatchObject({ description: "", metric: "sum" });
    expect((await call(project, "GET /v1/products/api_usage")).status).toBe(404);
    expect(await patch(project, "api", { kind: "fee", metric: null })).toMatchObject({ kind: "fee", metric: null });
  });

  test("is linked by any slug that the metric ever had, and shows the one of now", async () => {
    const project = await makeMetrics();
    await json(project, "PATCH /v1/metrics/count", { body: { slug: "calls" } });
    expect(await post(project, { name: "A", kind: "usage", metric: "count" })).toMatchObject({ metric: "calls" });
    await json(project, "PATCH /v1/metrics/calls", { body: { slug: "requests" } });
    expect(await json(project, "GET /v1/products/a")).toMatchObject({ metric: "requests" });
  });

  test("shares its metric with as many others as there are (feature 84)", async () => {
    const project = await makeMetrics();
    for (const name of ["A", "B", "C"]) await post(project, { name, kind: "usage", metric: "count" });
    const { products } = await json<{ products: { slug: string }[] }>(project, "GET /v1/metrics/count");
    expect(products.map(({ slug }) => slug)).toEqual(["a", "b", "c"]);
  });

  test("can be deleted, and its slug used again", async () => {
    const project = await makeMetrics();
    await post(project, { name: "A", kind: "fee" });
    expect((await call(project, "DELETE /v1/products/a")).status).toBe(204);
    for (const target of ["GET /v1/products/a", "DELETE /v1/products/a"])
      expect((await call(project, target)).status).toBe(404);
    await post(project, { name: "A", kind: "fee", slug: "a" });
  });

  test("has a slug of its own", async () => {
    const project = await makeMetrics();
    const made = [];
    for (const name of ["A", "A", "日本"]) made.push((await post(project, { name, kind: "fee" })).slug);
    expect(made).toEqual(["a", "a_2", "product"]);
    for (const target of ["POST /v1/products", "PATCH /v1/products/a_2"]) {
      const body = target.startsWith("POST") ? { name: "A", kind: "fee", slug: "a" } : { slug: "a" };
      const problem = await json<ProblemBody>(project, target, { body, status: 409 });
      expect(problem.errors).toMatchObject([{ pointer: "/slug", code: "taken" }]);
    }
  });

  test.each([
    [{}, ["/name", "/kind"]],
    [{ name: "A", kind: "bundle" }, ["/kind"]],
    [{ name: "=cmd()", kind: "fee" }, ["/name"]],
    [{ name: "A", kind: "fee", prices: [{ flat: "1" }] }, ["/prices/0/model"]],
    [{ name: "A", kind: "usage", metric: "nothing" }, ["/metric"]],
    [{ name: "A", kind: "usage", metric: 7 }, ["/metric"]],
    [{ name: "A", kind: "fee", slug: "A B" }, ["/slug"]],
    [{ name: "A", kind: "fee", price: 1 }, ["/price"]],
  ])("is not made of %j", async (body, pointers) => {
    const problem = await json<ProblemBody>(await makeMetrics(), "POST /v1/products", { body, status: 400 });
    expect(problem.errors?.map(({ pointer }) => pointer)).toEqual(pointers);
    for (const { detail } of problem.errors ?? []) expect(detail).toMatch(/^[A-Z].*\.$/);
  });

  test.each([
    ["name", NAME_LENGTH_MAX],
    ["description", 1_000],
    ["slug", SLUG_LENGTH_MAX],
  ])("has a %s of at most %i characters", async (field, max) => {
    const project = await makeProject();
    const body = (length: number) => ({ name: "A", kind: "fee", [field]: "x".repeat(length) });
    expect((await call(project, "POST /v1/products", { body: body(max) })).status).toBe(201);
    const problem = await json<ProblemBody>(project, "POST /v1/products", { body: body(max + 1), status: 400 });
    expect(problem.errors?.map(({ pointer }) => pointer)).toEqual([`/${field}`]);
  });
});

test("a project has at most as many products as the limit says", async () => {
  const project = await makeProject();
  await env.DB.prepare(
    `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
     INSERT INTO products (project_id, id, slug, kind, definition, created_at, updated_at)
     SELECT ?, 'p' || i, 'p' || i, 'fee', '{"name":"P","description":"","prices":[]}', 0, 0 FROM n`,
  )
    .bind(PRODUCTS_MAX - 1, project.id)
    .run();
  const body = { name: "A", kind: "fee" };
  const outcomes = await Promise.all([1, 2, 3].map(() => call(project, "POST /v1/products", { body })));
  expect(outcomes.map(({ status }) => String(status)).toSorted()).toEqual(["201", "409", "409"]);
});

test("the list of products is read page by page, each once", async () => {
  const project = await makeProject();
  for (const slug of ["c", "a", "b"]) await post(project, { name: "P", kind: "fee", slug });
  const first = await json<{ data: Product[]; next_cursor: string }>(project, "GET /v1/products?limit=2");
  const second = await json<{ data: Product[] }>(project, `GET /v1/products?limit=2&cursor=${first.next_cursor}`);
  expect([...first.data, ...second.data].map(({ slug }) => slug)).toEqual(["a", "b", "c"]);
});
