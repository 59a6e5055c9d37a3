import { METRIC_VERSIONS_MAX, METRICS_MAX, type ProblemBody } from "@tidemark/contract";
import type { DigestAnswer } from "@tidemark/contract/digest-schema";
import { EFFECTIVE_AHEAD_MS_MAX } from "@tidemark/contract/query-limits";
import type { MetricDefinition, MetricInput, MetricVersion } from "@tidemark/contract/metric-schema";
import { readCatalog } from "@tidemark/db/catalog";
import { readVersions } from "@tidemark/db/metric-versions";
import { env } from "cloudflare:workers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { makeDigest, makeDigestProject } from "../../../test/digest-fixture.ts";
import { call, json, makeProject, type TestProject } from "../../../test/fixture.ts";
import { setAllowance } from "../../../test/quota-fixture.ts";

const NOW = Date.parse("2026-11-21T15:30:00Z");
const DAY_MS = 86_400_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

const EU = { or: [{ property: "region", op: "equals" as const, value: "eu" }] };
const PAID = { and: [{ property: "plan", op: "in" as const, value: ["pro", "enterprise"] }] };

async function make(project: TestProject, input: Partial<MetricInput> = {}): Promise<MetricDefinition> {
  const body = { name: "API requests", aggregation: "count", event_matchers: [{ event: "api_request" }], ...input };
  return json(project, "POST /v1/metrics", { body, status: 201 });
}

function patch(project: TestProject, slug: string, body: object): Promise<MetricDefinition> {
  return json(project, `PATCH /v1/metrics/${slug}`, { body });
}

async function refusal(project: TestProject, slug: string, body: unknown, status = 400) {
  const problem = await json<ProblemBody>(project, `PATCH /v1/metrics/${slug}`, { body, status });
  return problem.errors?.map(({ pointer, code }) => [pointer, code]) ?? problem.detail;
}

async function versions(project: TestProject, slug: string): Promise<readonly MetricVersion[]> {
  return (await json<{ data: MetricVersion[] }>(project, `GET /v1/metrics/${slug}/versions`)).data;
}

async function catalog(project: TestProject, now = Date.now()) {
  return (await readCatalog(env.DB, project.id, METRICS_MAX, now)).metrics;
}

describe("a change of what is counted", () => {
  test.each([
    ["event_matchers", [{ event: "api_request" }, { event: "api_call" }]],
    ["filters", { and: [{ property: "status", op: "equals", value: 200 }] }],
    ["group_by", ["region"]],
    ["segments", [{ name: "EU", color: "blue", filters: EU }]],
  ])("of %s is a version from five minutes on, and history keeps its own", async (field, value) => {
    const project = await makeProject();
    const made = await make(project, { slug: "m" });
    vi.setSystemTime(NOW + 60_000);
    const changed = await patch(project, "m", { [field]: value });
    expect(changed).toEqual({
      ...made,
      [field]: value,
      version: 2,
      effective_from: "2026-11-21T15:36:00Z",
      updated_at: "2026-11-21T15:31:00Z",
    });
    expect(await json(project, "GET /v1/metrics/m")).toEqual({ ...changed, products: [] });
    expect(await versions(project, "m")).toMatchObject([
      { version: 1, effective_from: "2026-11-21T15:30:00Z", counts_from: null, shown_from: null },
      {
        version: 2,
        effective_from: "2026-11-21T15:36:00Z",
        counts_from: "2026-11-21T15:36:00Z",
        shown_from: "2026-11-21T15:36:00Z",
        definition: { slug: "m", [field]: value },
        created_at: "2026-11-21T15:31:00Z",
      },
    ]);
    expect(await catalog(project)).toMatchObject([
      {
        version: 1,
        counter_id: made.id,
        received_from: NOW - 1_000,
        counts_from: null,
        counts_until: NOW + 6 * 60_000,
      },
      {
        id: made.id,
        slug: "m",
        version: 2,
        counter_id: `${made.id}.2`,
        received_from: null,
        counts_from: NOW + 6 * 60_000,
        counts_until: null,
        backfilled: [],
        [field]: value,
      },
    ]);
    const [first] = await versions(project, "m");
    expect(first?.definition).toMatchObject({ [field]: made[field as keyof MetricDefinition] });
  });

  test("of the value property is one too", async () => {
    const project = await makeProject();
    await make(project, { slug: "m", aggregation: "sum", value_property: "a" });
    expect(await patch(project, "m", { value_property: "b" })).toMatchObject({ version: 2, value_property: "b" });
  });

  test("takes effect when it says, and never before the one before", async () => {
    const project = await makeProject();
    await make(project, { slug: "m" });
    expect(await patch(project, "m", { group_by: ["a"], effective_from: "2026-12-01T00:00:00+01:00" })).toMatchObject({
      version: 2,
      effective_from: "2026-11-30T23:00:00Z",
    });
    const earlier = { group_by: ["b"], effective_from: "2026-11-30T22:59:59Z" };
    const soon = { group_by: ["b"], effective_from: new Date(NOW + 5 * 60_000 - 1).toISOString() };
    expect(await refusal(project, "m", soon)).toEqual([["/effective_from", "invalid_value"]]);
    expect(await refusal(project, "m", earlier)).toEqual([["/effective_from", "invalid_value"]]);
    expect(await refusal(project, "m", { group_by: ["b"], effective_from: "soon" })).toEqual([
      ["/effective_from", "invalid_value"],
    ]);
    expect(await refusal(project, "m", { name: "N", effective_from: "2026-12-02T00:00:00Z" })).toEqual([
      ["/effective_from", "invalid_value"],
    ]);
    // A change without a time joins the one that is to come.
    expect(await patch(project, "m", { group_by: ["b"] })).toMatchObject({
      version: 3,
      effective_from: "2026-11-30T23:00:00Z",
    });
  });

  test("takes effect within a year, to the millisecond", async () => {
    const project = await makeProject();
    await make(project, { slug: "m" });
    const at = (ms: number) => ({
      group_by: ["a"],
      effective_from: new Date(NOW + EFFECTIVE_AHEAD_MS_MAX + ms).toISOString(),
    });
    expect(await refusal(project, "m", at(1))).toEqual([["/effective_from", "invalid_value"]]);
    expect(await patch(project, "m", at(0))).toMatchObject({ version: 2 });
  });

  test("that is sent again while it is made changes nothing more", async () => {
    const project = await makeProject();
    await make(project, { slug: "m" });
    const body = { group_by: ["a"], effective_from: "2026-11-22T00:00:00Z" };
    const first = await patch(project, "m", body);
    expect(await patch(project, "m", body)).toMatchObject({ version: 2, effective_from: first.effective_from });
  });

  test("is none when everything is as it was", async () => {
    const project = await makeProject();
    await make(project, { slug: "m", segments: [{ name: "EU", filters: EU }] });
    const same = { event_matchers: [{ event: "api_request" }], filters: null, segments: [{ name: "EU", filters: EU }] };
    expect(await patch(project, "m", { ...same, effective_from: "2026-12-01T00:00:00Z" })).toMatchObject({
      version: 1,
    });
    expect(await patch(project, "m", { segments: [{ name: "EU", color: "pink", filters: EU }] })).toMatchObject({
      version: 1,
      segments: [{ color: "pink" }],
    });
    expect(await versions(project, "m")).toHaveLength(1);
  });

  test("is refused after as many versions as the limit says", async () => {
    const project = await makeProject();
    await make(project, { slug: "m" });
    for (let n = 2; n <= METRIC_VERSIONS_MAX; n++) await patch(project, "m", { group_by: [`p${n}`] });
    expect(await versions(project, "m")).toHaveLength(METRIC_VERSIONS_MAX);
    expect(await refusal(project, "m", { group_by: ["one_more"] }, 409)).toContain(String(METRIC_VERSIONS_MAX));
    expect(await patch(project, "m", { name: "Renamed" })).toMatchObject({ version: METRIC_VERSIONS_MAX });
  });

  test("by many at once makes one version each, in order", async () => {
    const project = await makeProject();
    await make(project, { slug: "m" });
    const answers = await Promise.all(
      ["a", "b", "c"].map((name) => call(project, "PATCH /v1/metrics/m", { body: { group_by: [name] } })),
    );
    const done = answers.filter(({ status }) => status === 200).length;
    expect(answers.every(({ status }) => status === 200 || status === 409)).toBe(true);
    const kept = await versions(project, "m");
    expect(kept.map(({ version }) => version)).toEqual(Array.from({ length: done + 1 }, (_, i) => i + 1));
    expect(new Set(kept.map(({ definition }) => definition.group_by.join())).size).toBe(done + 1);
    expect((await json<MetricDefinition>(project, "GET /v1/metrics/m")).group_by).toEqual(
      kept.at(-1)?.definition.group_by,
    );
  });

  test("leaves the catalog when nothing can arrive for the version before", async () => {
    const project = await makeProject();
    await make(project, { slug: "m" });
    vi.setSystemTime(NOW + DAY_MS);
    await patch(project, "m", { group_by: ["a"] });
    const seen = async (days: number) => (await catalog(project, NOW + days * DAY_MS)).map(({ version }) => version);
    expect([await seen(43), await seen(43.1)]).toEqual([[1, 2], [2]]);
  });
});

describe("a change of anything else", () => {
  test("is no version, and the counting goes on as it was", async () => {
    const project = await makeProject();
    const made = await make(project, { slug: "m", description: "old" });
    const change = {
      name: "Calls",
      description: "new",
      unit: "calls",
      type: "limit_metered",
      exposed_event_keys: ["endpoint"],
      allow_negative: true,
      default_interval: { count: 2, period: "weeks" },
      display: { style: "sparkline" },
    };
    vi.setSystemTime(NOW + 1_000);
    expect(await patch(project, "m", change)).toEqual({
      ...made,
      ...change,
      display: { ...made.display, style: "sparkline" },
      updated_at: "2026-11-21T15:30:01Z",
    });
    expect(await versions(project, "m")).toMatchObject([{ version: 1, definition: { name: "Calls" } }]);
  });

  test("shows the events of every version by what is exposed now", async () => {
    const project = await makeProject();
    await make(project, { slug: "m" });
    await patch(project, "m", { group_by: ["a"] });
    await patch(project, "m", { exposed_event_keys: ["endpoint"] });
    expect((await catalog(project)).map(({ exposed_event_keys }) => exposed_event_keys)).toEqual([
      ["endpoint"],
      ["endpoint"],
    ]);
  });

  test("to null is the default again", async () => {
    const project = await makeProject();
    await make(project, {
      slug: "m",
      unit: "GB",
      description: "d",
      group_by: ["a"],
      display: { style: "sparkline" } as never,
    });
    const nothing = {
      unit: null,
      description: null,
      type: null,
      group_by: null,
      display: null,
      default_interval: null,
    };
    expect(await patch(project, "m", nothing)).toMatchObject({
      unit: "events",
      description: "",
      type: "charge_metered",
      group_by: [],
      display: { interval_days: 30, format: "numeric", currency: null, style: "number" },
      default_interval: { count: 30, period: "days" },
    });
  });

  test("tells the consumers to read the metrics again", async () => {
    const project = await makeProject();
    await make(project, { slug: "m" });
    const before = (await readCatalog(env.DB, project.id, METRICS_MAX, NOW)).version;
    await patch(project, "m", { group_by: ["a"] });
    await call(project, "PATCH /v1/metrics/m", { body: { aggregation: "sum" } });
    expect((await readCatalog(env.DB, project.id, METRICS_MAX, NOW)).version).toBe(before + 1);
  });
});

describe("a change is refused", () => {
  test.each([
    [{ aggregation: "sum", value_property: "n" }, [["/aggregation", "cannot_change"]]],
    [{ decimal_places: 2 }, [["/decimal_places", "cannot_change"]]],
    [{ distinct_by: "user_id" }, [["/distinct_by", "cannot_change"]]],
    [{}, [["", "invalid_value"]]],
    [{ name: "N", version: 7 }, [["/version", "unknown_field"]]],
    [{ name: null }, [["/name", "invalid_type"]]],
    [{ name: "=1+1" }, [["/name", "invalid_value"]]],
    [{ event_matchers: null }, [["/event_matchers", "invalid_type"]]],
    [{ value_property: "n" }, [["/value_property", "invalid_value"]]],
    [{ display: { format: "currency" } }, [["/display/currency", "invalid_value"]]],
    [{ filters: { nor: [] } }, [["/filters", "invalid_value"]]],
  ])("of %j", async (body, expected) => {
    const project = await makeProject();
    await make(project, { slug: "m" });
    expect(await refusal(project, "m", body)).toEqual(expected);
    expect(await json(project, "GET /v1/metrics/m")).toMatchObject({ version: 1, name: "API requests" });
  });

  test("unless it says what is the case: a whole definition can be sent back", async () => {
    const project = await makeProject();
    const { id, version, effective_from, created_at, updated_at, ...definition } = await make(project, { slug: "m" });
    expect([typeof id, version, typeof effective_from, created_at]).toEqual(["string", 1, "string", updated_at]);
    expect(await patch(project, "m", definition)).toMatchObject({ ...definition, version: 1 });
  });

  test("while a product prices a segment, unless others come behind", async () => {
    const project = await makeProject();
    const segments = [{ name: "EU", color: "blue" as const, filters: EU }];
    await make(project, { slug: "m", segments });
    const prices = [{ model: "per_unit", unit_amount: "1", currency: "EUR", segment: "EU" }];
    const body = { name: "P", slug: "p", kind: "usage", metric: "m", prices };
    await json(project, "POST /v1/products", { body, status: 201 });
    expect(await refusal(project, "m", { segments: [] }, 409)).toEqual([["/segments", "priced"]]);
    await patch(project, "m", { segments: [...segments, { name: "Paid", filters: PAID }] });
    await json(project, "PATCH /v1/products/p", { body: { prices: [] } });
    await patch(project, "m", { segments: [] });
  });

  test("while a limit is per a label that would go", async () => {
    const project = await makeProject();
    await make(project, { slug: "m", group_by: ["model", "region"] });
    const { id } = await setAllowance(project, "acme", { metric: "m", base: 5, per: "model", enforcement: "soft" });
    expect(await refusal(project, "m", { group_by: ["region"] }, 409)).toEqual([["/group_by", "limited"]]);
    await patch(project, "m", { group_by: ["model"] });
    expect((await call(project, `DELETE /v1/customers/acme/allowances/${id}`)).status).toBe(204);
    await patch(project, "m", { group_by: [] });
  });

  test("of a metric that is not there", async () => {
    expect((await call(await makeProject(), "PATCH /v1/metrics/none", { body: { name: "N" } })).status).toBe(404);
  });
});

describe("a slug that was changed", () => {
  test("goes on naming the metric, for ever", async () => {
    const project = await makeProject();
    const { id } = await make(project, { slug: "a" });
    expect(await patch(project, "a", { slug: "b" })).toMatchObject({ id, slug: "b", version: 1 });
    expect(await patch(project, "a", { slug: "c" })).toMatchObject({ id, slug: "c" });
    for (const slug of ["a", "b", "c"])
      expect(await json(project, `GET /v1/metrics/${slug}`)).toMatchObject({ id, slug: "c" });
    expect((await json<{ data: unknown[] }>(project, "GET /v1/metrics")).data).toHaveLength(1);
    expect(await catalog(project)).toMatchObject([{ id, slug: "c", version: 1 }]);
    // And can be taken back by that metric, which alone may have it.
    expect(await patch(project, "c", { slug: "a" })).toMatchObject({ id, slug: "a" });
    const body = { name: "Other", aggregation: "count", event_matchers: [{ event: "e" }], slug: "b" };
    const problem = await json<ProblemBody>(project, "POST /v1/metrics", { body, status: 409 });
    expect(problem.errors).toMatchObject([{ pointer: "/slug", code: "taken" }]);
    await make(project, { slug: "other" });
    expect(await refusal(project, "other", { slug: "c" }, 409)).toEqual([["/slug", "taken"]]);
  });

  test("is not made again for another name", async () => {
    const project = await makeProject();
    await make(project);
    await patch(project, "api_requests", { slug: "calls" });
    expect((await make(project)).slug).toBe("api_requests_2");
  });
});

describe("a metric that was deleted", () => {
  test("is nowhere, and its slugs are never given to another", async () => {
    const project = await makeProject();
    const { id } = await make(project, { slug: "a" });
    await patch(project, "a", { slug: "b" });
    expect((await call(project, "DELETE /v1/metrics/a")).status).toBe(204);
    for (const target of [
      "GET /v1/metrics/a",
      "GET /v1/metrics/b",
      "GET /v1/metrics/b/versions",
      "DELETE /v1/metrics/b",
    ])
      expect((await call(project, target)).status, target).toBe(404);
    expect(await json(project, "GET /v1/metrics")).toEqual({ data: [], next_cursor: null });
    expect(await catalog(project)).toEqual([]);
    for (const slug of ["a", "b"]) {
      const body = { name: "New", aggregation: "count", event_matchers: [{ event: "e" }], slug };
      const problem = await json<ProblemBody>(project, "POST /v1/metrics", { body, status: 409 });
      expect(problem.detail).toContain("never given to another");
    }
    expect(await readVersions(env.DB, project.id, [id])).toHaveLength(1);
  });

  test("makes room for another one", async () => {
    const project = await makeProject();
    await env.DB.prepare(
      `WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
       INSERT INTO metrics (project_id, id, slug, version, definition, created_at, updated_at)
       SELECT ?, 'm' || i, 'm' || i, 1, '{}', 0, 0 FROM n`,
    )
      .bind(METRICS_MAX - 1, project.id)
      .run();
    await make(project, { slug: "last" });
    const post = () =>
      call(project, "POST /v1/metrics", {
        body: { name: "N", aggregation: "count", event_matchers: [{ event: "e" }] },
      });
    expect((await post()).status).toBe(409);
    await call(project, "DELETE /v1/metrics/last");
    expect((await post()).status).toBe(201);
  });

  test("cannot be while products are linked, and the answer lists them", async () => {
    const project = await makeProject();
    const { id } = await make(project, { slug: "m" });
    for (const [name, kind] of [
      ["API usage", "usage"],
      ["Prepaid", "credit"],
    ])
      await json(project, "POST /v1/products", { body: { name, kind, metric: "m" }, status: 201 });
    const linked = await json<{ products: unknown[] }>(project, "GET /v1/metrics/m");
    expect(linked.products).toMatchObject([
      { slug: "api_usage", name: "API usage", kind: "usage" },
      { slug: "prepaid", name: "Prepaid", kind: "credit" },
    ]);
    const problem = await json<ProblemBody>(project, "DELETE /v1/metrics/m", { status: 409 });
    expect(problem.detail).toContain("API usage (api_usage), Prepaid (prepaid)");
    expect(problem.errors).toMatchObject([
      { pointer: "/products/api_usage", code: "linked_product" },
      { pointer: "/products/prepaid", code: "linked_product" },
    ]);
    await call(project, "DELETE /v1/products/api_usage");
    expect((await call(project, "DELETE /v1/metrics/m")).status).toBe(409);
    await json(project, "PATCH /v1/products/prepaid", { body: { kind: "fee", metric: null } });
    expect((await call(project, "DELETE /v1/metrics/m")).status).toBe(204);
    expect(await readVersions(env.DB, project.id, [id])).toHaveLength(1);
  });

  test("cannot be while digests tell of it, and the answer lists them", async () => {
    const { project } = await makeDigestProject();
    const digest = await makeDigest(project);
    const problem = await json<ProblemBody>(project, "DELETE /v1/metrics/m", { status: 409 });
    expect(problem.detail).toContain(`1 digest tells of the metric: Monday morning (${digest.id})`);
    expect(problem.errors).toMatchObject([{ pointer: `/digests/${digest.id}`, code: "linked_digest" }]);
    expect((await json<DigestAnswer>(project, `GET /v1/digests/${digest.id}`)).metric).toBe("m");
    await make(project, { slug: "other" });
    await json(project, `PATCH /v1/digests/${digest.id}`, { body: { metric: "other" } });
    expect((await call(project, "DELETE /v1/metrics/m")).status).toBe(204);
  });

  test("has no product, whoever came first", async () => {
    const project = await makeProject();
    for (let round = 0; round < 5; round++) {
      const { id, slug } = await make(project);
      const [removed, linked] = await Promise.all([
        call(project, `DELETE /v1/metrics/${slug}`),
        call(project, "POST /v1/products", { body: { name: "P", kind: "usage", metric: slug } }),
      ]);
      const products = await env.DB.prepare("SELECT COUNT(*) AS n FROM products WHERE project_id = ? AND metric_id = ?")
        .bind(project.id, id)
        .first<number>("n");
      expect([removed.status, linked.status, products]).toEqual(removed.status === 204 ? [204, 400, 0] : [409, 201, 1]);
    }
  });
});

describe("segments", () => {
  test("have colours that stay", async () => {
    const project = await makeProject();
    const segments = [
      { name: "EU", filters: EU },
      { name: "Paid", filters: PAID },
      { name: "Red", color: "blue", filters: EU },
    ];
    const colors = ({ segments: all }: MetricDefinition) => all.map(({ name, color }) => [name, color]);
    expect(colors(await make(project, { slug: "m", segments: segments as never }))).toEqual([
      ["EU", "orange"],
      ["Paid", "green"],
      ["Red", "blue"],
    ]);
    const fewer = [
      { name: "New", filters: EU },
      { name: "Paid", filters: PAID },
    ];
    expect(colors(await patch(project, "m", { segments: fewer }))).toEqual([
      ["New", "blue"],
      ["Paid", "green"],
    ]);
  });
});

test("a definition of an earlier release has the fields that came later", async () => {
  const project = await makeProject();
  const { id } = await make(project, { slug: "m" });
  for (const table of ["metrics", "metric_versions"])
    await env.DB.prepare(
      `UPDATE ${table} SET definition = json_remove(definition, '$.filters', '$.distinct_by', '$.segments', '$.exposed_event_keys')
       WHERE project_id = ?`,
    )
      .bind(project.id)
      .run();
  const later = { filters: null, distinct_by: null, segments: [] };
  expect(await catalog(project)).toMatchObject([{ id, ...later, exposed_event_keys: [] }]);
  expect(await json(project, "GET /v1/metrics/m")).toMatchObject(later);
  expect(await patch(project, "m", { group_by: ["a"] })).toMatchObject({ ...later, version: 2 });
});

test("every template but the blank one is a metric as it stands", async () => {
  const project = await makeProject();
  const { data } = await json<{ data: { id: string; name: string; unit: string; metric: object }[] }>(
    project,
    "GET /v1/metric-templates",
  );
  expect(data.map(({ name, unit }) => [name, unit])).toEqual([
    ["API Requests", "requests"],
    ["LLM Tokens", "tokens"],
    ["Worker Duration", "ms"],
    ["Storage GB", "GB"],
    ["Emails Sent", "emails"],
    ["Unique Users", "users"],
    ["Custom", null],
  ]);
  for (const { id, metric } of data.slice(0, -1))
    expect(await json(project, "POST /v1/metrics", { body: metric, status: 201 })).toMatchObject({
      slug: id,
      ...metric,
    });
});
