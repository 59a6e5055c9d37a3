import { type ProblemBody, METRIC_THRESHOLDS_MAX } from "@tidemark/contract";
import type { NoticeAnswer } from "@tidemark/contract/notice-schema";
import type { ThresholdAnswer } from "@tidemark/contract/threshold-schema";
import { insertNotices } from "@tidemark/db/notices";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { call, json, makeMetric, makeProject, type TestProject } from "../../../test/fixture.ts";
import { consume, metersThatFail, setAllowance } from "../../../test/quota-fixture.ts";

async function setUp(): Promise<TestProject> {
  const project = await makeProject();
  await makeMetric(project, {
    slug: "calls",
    type: "limit_metered",
    aggregation: "sum",
    value_property: "n",
    decimal_places: 1,
  });
  return project;
}

function post<Answer = ThresholdAnswer>(project: TestProject, body: object, status = 201): Promise<Answer> {
  return json(project, "POST /v1/thresholds", { body: { metric: "calls", ...body }, status });
}

async function catalogVersion({ id }: TestProject): Promise<number | null> {
  return env.DB.prepare("SELECT catalog_version FROM projects WHERE id = ?").bind(id).first("catalog_version");
}

describe("a threshold", () => {
  test("is kept as it was wanted, at a quantity or at per cent of the allowance", async () => {
    const project = await setUp();
    const made = await post(project, { value: "800.5", name: "Nearly" });
    expect(made).toEqual({
      id: expect.stringMatching(/^thr_/) as string,
      version: 1,
      metric: "calls",
      name: "Nearly",
      operator: ">=",
      value: "800.5",
      percent: null,
      segment: null,
      repeat: "per_cycle",
      hysteresis: "0",
      customer_id: null,
      created_at: made.updated_at,
      updated_at: expect.stringMatching(/Z$/) as string,
    });
    const other = await post(project, { percent: 80, operator: "<=", customer_id: "acme" });
    expect(other).toMatchObject({ value: null, percent: 80, operator: "<=", customer_id: "acme", name: null });
    expect(await json(project, `GET /v1/thresholds/${made.id}`)).toEqual(made);
    const first = await json<{ data: ThresholdAnswer[]; next_cursor: string }>(project, "GET /v1/thresholds?limit=1");
    const next = await json<{ data: ThresholdAnswer[] }>(
      project,
      `GET /v1/thresholds?limit=1&cursor=${first.next_cursor}`,
    );
    expect([...first.data, ...next.data].map(({ id }) => id)).toEqual([made.id, other.id].toSorted());
  });

  test("counts its changes, and keeps what is not named", async () => {
    const project = await setUp();
    const made = await post(project, { value: 5, name: "Five" });
    const changed = await json<ThresholdAnswer>(project, `PATCH /v1/thresholds/${made.id}`, { body: { percent: 90 } });
    expect(changed).toEqual({ ...made, version: 2, value: null, percent: 90, updated_at: changed.updated_at });
    const unnamed = await json(project, `PATCH /v1/thresholds/${made.id}`, { body: { name: null } });
    expect(unnamed).toMatchObject({ version: 3, name: null, percent: 90 });
  });

  test("looks at a segment, and each time, when it is told to", async () => {
    const project = await setUp();
    const filters = { and: [{ property: "r", op: "equals", value: "eu" }] };
    await json(project, "PATCH /v1/metrics/calls", { body: { segments: [{ name: "EU", filters }] } });
    const made = await post(project, { value: 5, segment: "EU", repeat: "per_crossing", hysteresis: "1.5" });
    expect(made).toMatchObject({ segment: "EU", repeat: "per_crossing", hysteresis: "1.5" });
    const target = `PATCH /v1/thresholds/${made.id}`;
    expect(await json(project, target, { body: { value: 6 } })).toMatchObject({ segment: "EU", hysteresis: "1.5" });
    expect(await json(project, target, { body: { percent: 80 } })).toMatchObject({ segment: "EU", hysteresis: "0" });
    expect(await json(project, target, { body: { segment: null } })).toMatchObject({ segment: null, percent: 80 });
    expect((await call(project, target, { body: { segment: "Mars" } })).status).toBe(400);
    await json(project, target, { body: { percent: 50, hysteresis: 40 } });
    const refused = await json<ProblemBody>(project, target, { body: { percent: 10 }, status: 400 });
    expect(refused.errors).toMatchObject([{ pointer: "/hysteresis" }]);
  });

  test("of all customers is known to the meters of those who have an allowance when it is there", async () => {
    const project = await setUp();
    await setAllowance(project, "acme", { metric: "calls", base: 10 });
    const { id } = await post(project, { value: 5 });
    expect(await consume(project, "acme", "calls", { amount: 6 })).toMatchObject({
      thresholds_crossed: [{ threshold_id: id, value: "6" }],
    });
  });

  test("announces itself in the catalog, when it is made, changed and deleted", async () => {
    const project = await setUp();
    const before = (await catalogVersion(project)) ?? 0;
    const { id } = await post(project, { percent: 80 });
    await json(project, `PATCH /v1/thresholds/${id}`, { body: { percent: 90 } });
    for (const status of [204, 404]) expect((await call(project, `DELETE /v1/thresholds/${id}`)).status).toBe(status);
    expect(await catalogVersion(project)).toBe(before + 3);
  });

  test("of one customer is known to this customer's meter at once, and crossed once in a cycle (V12)", async () => {
    const project = await setUp();
    await setAllowance(project, "acme", { metric: "calls", base: 1000, enforcement: "soft" });
    const { id } = await post(project, { value: 800, customer_id: "acme" });
    const cross = async (amount: number) =>
      (await consume(project, "acme", "calls", { amount })).thresholds_crossed ?? [];
    expect(await cross(799)).toEqual([]);
    expect(await cross(2)).toMatchObject([{ threshold_id: id, operator: ">=", value: "801" }]);
    expect([await cross(-11), await cross(20)]).toEqual([[], []]);
    await json(project, `PATCH /v1/thresholds/${id}`, { body: { value: 820 } });
    expect(await cross(15)).toMatchObject([{ threshold_id: id, value: "825" }]);
    await call(project, `DELETE /v1/thresholds/${id}`);
    expect(await cross(500)).toEqual([]);
  });

  test("of all customers is known to a meter that learns of an allowance afterwards", async () => {
    const project = await setUp();
    const { id } = await post(project, { percent: 50 });
    await setAllowance(project, "acme", { metric: "calls", base: 10 });
    expect(await consume(project, "acme", "calls", { amount: 5 })).toMatchObject({
      thresholds_crossed: [{ threshold_id: id }],
    });
  });

  test("is made also when its customer's meter cannot be reached, which learns of it later", async () => {
    const project = await setUp();
    const body = { metric: "calls", percent: 80, customer_id: "acme" };
    const response = await call(project, "POST /v1/thresholds", { body, bindings: { METERS: metersThatFail() } });
    expect(response.status).toBe(201);
  });

  test("goes when its metric is deleted", async () => {
    const project = await setUp();
    const { id } = await post(project, { percent: 80 });
    expect((await call(project, "DELETE /v1/metrics/calls")).status).toBe(204);
    expect((await call(project, `GET /v1/thresholds/${id}`)).status).toBe(404);
  });
});

test.each([
  [{}, ["/value"]],
  [{ value: 1, percent: 1 }, ["/value"]],
  [{ value: "0.01" }, ["/value"]],
  [{ percent: -1 }, ["/percent"]],
  [{ percent: 1.5 }, ["/percent"]],
  [{ percent: 1, operator: "=" }, ["/operator"]],
  [{ percent: 1, metric: "nothing" }, ["/metric"]],
  [{ percent: 1, customer_id: "" }, ["/customer_id"]],
  [{ percent: 1, name: "=x" }, ["/name"]],
  [{ percent: 1, webhook: "x" }, ["/webhook"]],
  [{ percent: 1, segment: "Mars" }, ["/segment"]],
  [{ percent: 1, repeat: "always" }, ["/repeat"]],
  [{ percent: 80, hysteresis: 81 }, ["/hysteresis"]],
  [{ percent: 80, hysteresis: "0.5" }, ["/hysteresis"]],
  [{ value: 80, hysteresis: -1 }, ["/hysteresis"]],
])("a threshold is not made of %j", async (body, pointers) => {
  const problem = await post<ProblemBody>(await setUp(), body, 400);
  expect(problem.errors?.map(({ pointer }) => pointer)).toEqual(pointers);
});

test("a metric has as many thresholds as the limit says, for all customers and for each", async () => {
  const project = await setUp();
  const all = Array.from({ length: METRIC_THRESHOLDS_MAX }, () => post(project, { percent: 1 }));
  await Promise.all(all);
  expect((await post<ProblemBody>(project, { percent: 1 }, 409)).detail).toContain(String(METRIC_THRESHOLDS_MAX));
  await post(project, { percent: 1, customer_id: "acme" });
});

test("thresholds and notices are the project's own", async () => {
  const [project, other] = [await setUp(), await setUp()];
  const { id } = await post(project, { percent: 80 });
  for (const target of [`GET /v1/thresholds/${id}`, `DELETE /v1/thresholds/${id}`])
    expect((await call(other, target)).status).toBe(404);
  expect((await call(other, `PATCH /v1/thresholds/${id}`, { body: { percent: 1 } })).status).toBe(404);
  expect(await json(other, "GET /v1/thresholds")).toEqual({ data: [], next_cursor: null });
  expect((await call(project, "POST /v1/thresholds", { key: project.keys.read, body: {} })).status).toBe(403);
});

test("notices tell who came to which line, newest first, by the metric's name of now", async () => {
  const project = await setUp();
  const metric = await env.DB.prepare("SELECT id FROM metrics WHERE project_id = ?")
    .bind(project.id)
    .first<string>("id");
  const crossing = {
    threshold_id: "thr_1",
    name: "Nearly",
    operator: ">=",
    line: "80 %",
    segment: null,
    label: null,
    value: "801",
    previous_value: "799",
    allowance: "1000",
    metric: "calls",
    cycle: { start: "2026-03-01T00:00:00Z", end: "2026-04-01T00:00:00Z" },
  };
  const notice = (id: string, at: number) => ({
    id,
    kind: "threshold_crossed" as const,
    metric_id: metric ?? "",
    at,
    body: JSON.stringify(crossing),
  });
  const at = Date.parse("2026-03-10T00:00:00Z");
  await insertNotices(env.DB, project.id, "acme", [notice("a", at), notice("b", at + 1), notice("c", at)]).run();
  await json(project, "PATCH /v1/metrics/calls", { body: { slug: "requests" } });
  const first = await json<{ data: NoticeAnswer[]; next_cursor: string }>(project, "GET /v1/notices?limit=2");
  const { metric: _, ...told } = crossing;
  expect(first.data[0]).toEqual({
    ...told,
    id: "b",
    kind: "threshold_crossed",
    customer_id: "acme",
    metric: "requests",
    at: "2026-03-10T00:00:00.001Z",
  });
  const next = await json<{ data: NoticeAnswer[] }>(project, `GET /v1/notices?limit=2&cursor=${first.next_cursor}`);
  expect([...first.data, ...next.data].map(({ id }) => id)).toEqual(["b", "c", "a"]);
});
