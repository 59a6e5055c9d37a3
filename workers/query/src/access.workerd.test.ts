import type { ProblemBody } from "@tidemark/contract";
import { REPORTS } from "@tidemark/contract/reports";
import { insertDeliveries } from "@tidemark/db/deliveries";
import { insertNotices } from "@tidemark/db/notices";
import type { Scope } from "@tidemark/http/keys";
import { env } from "cloudflare:workers";
import { FIRST_STEP } from "@tidemark/contract";
import { describe, expect, test } from "vitest";
import { call, insertCustomer, json, makeMetric, makeProject, store, type TestProject } from "../test/fixture.ts";
import { app } from "./index.ts";

interface Route {
  readonly target: string;
  /** The scope it wants; `null` for none. */
  readonly scope: Scope | null;
  readonly body?: unknown;
}

const METRIC = { name: "A", aggregation: "count", event_matchers: [{ event: "a" }] };
const DESTINATION = { kind: "webhook", name: "secret webhook", url: "https://example.com/secret" };

/** Every route of the API, with the ids of something that may or may not be there. */
function routes(ids: {
  slug: string;
  product: string;
  customer: string;
  publication: string;
  key: string;
  entry: string;
  job: string;
  allowance: string;
  subscription: string;
  threshold: string;
  destination: string;
  delivery: string;
  digest: string;
}): readonly Route[] {
  const { slug, product, customer, publication, key, entry, job, allowance, subscription, threshold } = ids;
  const { destination, delivery, digest } = ids;
  const published = { report: "top-customers", params: { metric: slug }, title: "T" };
  return [
    { target: "GET /v1/metrics", scope: "read" },
    { target: "GET /metrics", scope: "read" },
    { target: "POST /v1/metrics", scope: "admin", body: METRIC },
    { target: `GET /v1/metrics/${slug}`, scope: "read" },
    { target: `PATCH /v1/metrics/${slug}`, scope: "admin", body: { name: "x" } },
    { target: `GET /v1/metrics/${slug}/versions`, scope: "read" },
    { target: "GET /v1/metric-templates", scope: "read" },
    { target: "POST /v1/metrics/preview", scope: "read", body: { metric: METRIC, events: [] } },
    { target: `POST /v1/metrics/${slug}/backfill`, scope: "admin", body: { from: "2026-11-01" } },
    { target: "GET /v1/jobs", scope: "read" },
    { target: "POST /v1/jobs", scope: "admin", body: { kind: "verify" } },
    { target: `GET /v1/jobs/${job}`, scope: "read" },
    { target: "GET /v1/products", scope: "read" },
    { target: "POST /v1/products", scope: "admin", body: { name: "P", kind: "fee" } },
    { target: `GET /v1/products/${product}`, scope: "read" },
    { target: `PATCH /v1/products/${product}`, scope: "admin", body: { name: "x" } },
    { target: `DELETE /v1/products/${product}`, scope: "admin" },
    { target: `DELETE /v1/metrics/${slug}`, scope: "admin" },
    { target: `GET /v1/usage?metric=${slug}`, scope: "read" },
    { target: `GET /v1/usage?metric=${slug}&customer_id=${customer}`, scope: "read" },
    { target: "POST /v1/query", scope: "read", body: { metric: slug } },
    { target: "POST /v1/query", scope: "read", body: { source: "archive" } },
    { target: "GET /v1/customers", scope: "read" },
    { target: `GET /v1/customers/${customer}`, scope: "read" },
    { target: `PATCH /v1/customers/${customer}`, scope: "admin", body: { name: "x" } },
    { target: `GET /v1/customers/${customer}/usage`, scope: "read" },
    { target: `GET /v1/customers/${customer}/events`, scope: "read" },
    { target: `GET /v1/customers/${customer}/allowances`, scope: "read" },
    { target: `POST /v1/customers/${customer}/allowances`, scope: "admin", body: { metric: slug, base: 1 } },
    { target: `GET /v1/customers/${customer}/allowances/${allowance}`, scope: "read" },
    { target: `PATCH /v1/customers/${customer}/allowances/${allowance}`, scope: "admin", body: { base: 1 } },
    { target: `DELETE /v1/customers/${customer}/allowances/${allowance}`, scope: "admin" },
    { target: `GET /v1/customers/${customer}/subscriptions`, scope: "read" },
    { target: `POST /v1/customers/${customer}/subscriptions`, scope: "admin", body: { product } },
    { target: `GET /v1/customers/${customer}/subscriptions/${subscription}`, scope: "read" },
    { target: `DELETE /v1/customers/${customer}/subscriptions/${subscription}`, scope: "admin" },
    { target: `GET /v1/customers/${customer}/balances`, scope: "read" },
    { target: `GET /v1/customers/${customer}/statements`, scope: "read" },
    { target: `GET /v1/customers/${customer}/explain?metric=${slug}`, scope: "read" },
    { target: "GET /v1/thresholds", scope: "read" },
    { target: "POST /v1/thresholds", scope: "admin", body: { metric: slug, percent: 80 } },
    { target: `GET /v1/thresholds/${threshold}`, scope: "read" },
    { target: `PATCH /v1/thresholds/${threshold}`, scope: "admin", body: { percent: 90 } },
    { target: `DELETE /v1/thresholds/${threshold}`, scope: "admin" },
    { target: "GET /v1/notices", scope: "read" },
    { target: "GET /v1/destinations", scope: "read" },
    { target: "POST /v1/destinations", scope: "admin", body: DESTINATION },
    { target: `GET /v1/destinations/${destination}`, scope: "read" },
    { target: `PATCH /v1/destinations/${destination}`, scope: "admin", body: { name: "x" } },
    { target: `DELETE /v1/destinations/${destination}`, scope: "admin" },
    { target: `POST /v1/destinations/${destination}/test`, scope: "admin" },
    { target: `POST /v1/destinations/${destination}/rotate`, scope: "admin", body: {} },
    { target: "GET /v1/deliveries", scope: "read" },
    { target: `GET /v1/deliveries/${delivery}`, scope: "read" },
    { target: `POST /v1/deliveries/${delivery}/resend`, scope: "admin" },
    { target: `GET /v1/events/rejected?metric=${slug}`, scope: "read" },
    { target: "GET /v1/reports", scope: "read" },
    ...Object.keys(REPORTS).map(
      (name) => ({ target: `GET /v1/reports/${name}?metric=${slug}`, scope: "read" }) as const,
    ),
    { target: "GET /v1/digests", scope: "read" },
    { target: "POST /v1/digests", scope: "admin", body: { name: "D", metric: slug, destination_id: destination } },
    { target: `GET /v1/digests/${digest}`, scope: "read" },
    { target: `PATCH /v1/digests/${digest}`, scope: "admin", body: { name: "x" } },
    { target: `POST /v1/digests/${digest}/preview`, scope: "read" },
    { target: `DELETE /v1/digests/${digest}`, scope: "admin" },
    { target: "POST /v1/publications", scope: "admin", body: published },
    { target: "GET /v1/publications", scope: "read" },
    { target: `GET /v1/publications/${publication}`, scope: "read" },
    { target: `PATCH /v1/publications/${publication}`, scope: "admin", body: { title: "T" } },
    { target: `POST /v1/publications/${publication}/rotate`, scope: "admin" },
    { target: `DELETE /v1/publications/${publication}`, scope: "admin" },
    { target: "POST /v1/keys", scope: "admin", body: { name: "k", scopes: ["read"] } },
    { target: "GET /v1/keys", scope: "admin" },
    { target: `DELETE /v1/keys/${key}`, scope: "admin" },
    { target: "GET /v1/quarantine", scope: "read" },
    { target: `POST /v1/quarantine/${entry}/replay`, scope: "admin" },
    { target: "GET /v1/health", scope: null },
  ];
}

const NOTHING = {
  slug: "none",
  product: "none",
  customer: "none",
  publication: "pub_none",
  key: "none",
  entry: "none",
  job: "none",
  allowance: "none",
  subscription: "none",
  threshold: "none",
  destination: "none",
  delivery: "none",
  digest: "none",
};

/** A project that has one of everything. */
async function fill(project: TestProject) {
  const metric = await makeMetric(project, { slug: "secret_metric" });
  await json(project, "POST /v1/products", {
    body: { name: "secret product", slug: "secret_product", kind: "usage", metric: metric.slug },
    status: 201,
  });
  await store(project, metric.id, [{ customer: "secret-customer", at: Date.now() }]);
  const body = { report: "top-customers", params: { metric: metric.slug }, title: "secret title" };
  const publication = await json<{ id: string; public_url: string }>(project, "POST /v1/publications", {
    body,
    status: 201,
  });
  const key = await json<{ id: string }>(project, "POST /v1/keys", {
    body: { name: "secret key", scopes: ["read"] },
    status: 201,
  });
  await env.DB.prepare(
    "INSERT INTO quarantine (project_id, id, reason, detail, body, created_at) VALUES (?, 'secret-entry', 'conflict', '', ?, 0)",
  )
    .bind(project.id, `{"v":1,"project_id":"${project.id}","received_at":1,"events":[]}`)
    .run();
  await insertDoneJob(project.id, "secret-job");
  const make = (target: string, input: object) =>
    json<{ id: string }>(project, `POST /v1/${target}`, { body: input, status: 201 });
  const allowance = await make("customers/secret-customer/allowances", { metric: metric.slug, base: 1 });
  const subscription = await make("customers/secret-customer/subscriptions", { product: "secret_product" });
  const threshold = await make("thresholds", { metric: metric.slug, percent: 80, name: "secret threshold" });
  const notice = { id: "secret-notice", kind: "threshold_crossed", metric_id: metric.id, at: 0, body: "{}" } as const;
  await insertNotices(env.DB, project.id, "secret-customer", [notice]).run();
  const destination = await make("destinations", DESTINATION);
  const delivery = { id: "secret-delivery", destination_id: destination.id, notice_id: notice.id };
  await insertDeliveries(env.DB, project.id, [delivery], 0).run();
  const weekly = { name: "secret digest", metric: metric.slug, destination_id: destination.id };
  const digest = await make("digests", weekly);
  return {
    slug: metric.slug,
    product: "secret_product",
    customer: "secret-customer",
    publication: publication.id,
    key: key.id,
    entry: "secret-entry",
    job: "secret-job",
    allowance: allowance.id,
    subscription: subscription.id,
    threshold: threshold.id,
    destination: destination.id,
    delivery: delivery.id,
    digest: digest.id,
    public_url: publication.public_url,
  };
}

function insertDoneJob(projectId: string, id: string): Promise<unknown> {
  const params = { metric: null, customer_id: "secret-customer", from_day: 0, to_day: 20_000 };
  return env.DB.prepare(
    "INSERT INTO jobs (project_id, id, kind, state, params, progress, leased_until, created_at, updated_at) VALUES (?, ?, 'verify', 'done', ?, ?, 0, 0, 0)",
  )
    .bind(projectId, id, JSON.stringify(params), JSON.stringify(FIRST_STEP))
    .run();
}

describe("a key opens what its scopes say", () => {
  test.each(routes(NOTHING))("$target wants $scope", async ({ target, scope, body }) => {
    const project = await makeProject();
    const status = async (key: string | null) => (await call(project, target, { key, body })).status;
    const grants = { admin: ["admin", "read", "ingest"], read: ["read"], ingest: ["ingest"] } as const;
    for (const [held, scopes] of Object.entries(grants)) {
      const allowed = scope === null || (scopes as readonly string[]).includes(scope);
      const answer = await status(project.keys[held as Scope]);
      expect(answer === 403, `${held}: ${answer}`).toBe(!allowed);
      expect([401, 500]).not.toContain(answer);
    }
    if (scope === null) expect(await status(null)).toBe(200);
    else
      expect([
        await status(null),
        await status("tm_read_nonsense"),
        await status(`${project.keys.admin.slice(0, -1)}!`),
      ]).toEqual([401, 401, 401]);
  });

  test("before anything else of the request is looked at", async () => {
    const project = await makeProject();
    const response = await call(project, "POST /v1/metrics", { key: project.keys.read, body: "{" });
    expect(response.status).toBe(403);
    expect((await response.json<ProblemBody>()).detail).toContain('"admin"');
  });
});

test("a parameter that no route knows is refused by every route that reads", async () => {
  const project = await makeProject();
  await makeMetric(project, { slug: "m" });
  await insertCustomer(project, "acme", null).run();
  const ids = { ...NOTHING, slug: "m", customer: "acme" };
  for (const { target } of routes(ids).filter((route) => route.scope !== null && route.target.startsWith("GET "))) {
    const path = `${target}${target.includes("?") ? "&" : "?"}nonsense=1`;
    const problem = await json<ProblemBody>(project, path, { status: 400 });
    expect(problem.errors, path).toMatchObject([{ pointer: "/nonsense", code: "unknown_field" }]);
  }
});

test("every route of the API is in this table, and in the description", () => {
  const table = new Set(
    routes(NOTHING).map(({ target }) => target.replace(/\?.*/, "").replaceAll(/\/(pub_)?none/g, "/:x")),
  );
  const handlers = new Set(
    app.routes
      .filter(({ method, path }) => method !== "ALL" && (path.startsWith("/v1/") || path === "/metrics"))
      .map(({ method, path }) => `${method} ${path.replaceAll(/:\w+/g, ":x")}`),
  );
  expect(handlers).toEqual(table);
});

describe("another project's things are as if they did not exist", () => {
  test("on every route, byte for byte", async () => {
    const [theirs, mine] = [await makeProject(), await makeProject()];
    const ids = await fill(theirs);
    const hidden = routes(ids);
    for (const [index, { target, body }] of routes(NOTHING).entries()) {
      const other = hidden[index];
      if (other === undefined || target === other.target) continue;
      const [missing, foreign] = [
        await call(mine, target, { body }),
        await call(mine, other.target, { body: other.body }),
      ];
      const text = async (response: Response) =>
        (await response.text()).replaceAll(/req_[0-9a-f-]+/g, "").replaceAll(/"as_of":"[^"]+"/g, "");
      expect([foreign.status, await text(foreign)], other.target).toEqual([
        missing.status,
        // The only thing echoed is what this caller sent.
        (await text(missing)).replace('"customer_id":"none"', '"customer_id":"secret-customer"'),
      ]);
      expect(foreign.status, other.target).toBeGreaterThanOrEqual(400);
    }
  });

  test("in every list", async () => {
    const [theirs, mine] = [await makeProject(), await makeProject()];
    await fill(theirs);
    const lists = [
      "metrics",
      "products",
      "customers",
      "publications",
      "quarantine",
      "thresholds",
      "notices",
      "destinations",
      "deliveries",
      "digests",
    ];
    for (const path of lists.map((list) => `/v1/${list}`)) {
      expect(await json(mine, `GET ${path}`), path).toEqual({ data: [], next_cursor: null });
    }
    const keys = await json<{ data: { name: string }[] }>(mine, "GET /v1/keys");
    expect(keys.data.map(({ name }) => name).toSorted()).toEqual(["admin key", "ingest key", "read key"]);
  });

  test("also where both use the same names", async () => {
    const [theirs, mine] = [await makeProject(), await makeProject()];
    const ids = await fill(theirs);
    const metric = await makeMetric(mine, { slug: ids.slug });
    await insertCustomer(mine, ids.customer, null).run();
    for (const query of [`metric=${metric.slug}`, `metric=${metric.slug}&customer_id=${ids.customer}`]) {
      const usage = await json<{ data: { value: string }[] }>(mine, `GET /v1/usage?${query}`);
      expect(usage.data.every(({ value }) => value === "0")).toBe(true);
    }
    const report = await json<{ data: unknown[] }>(mine, `GET /v1/reports/top-customers?metric=${metric.slug}`);
    expect(report.data).toEqual([]);
  });

  test("and nothing of theirs changed", async () => {
    const [theirs, mine] = [await makeProject(), await makeProject()];
    const ids = await fill(theirs);
    const snapshot = async () => {
      const tables = [
        "metrics",
        "metric_slugs",
        "metric_versions",
        "products",
        "customers",
        "publications",
        "quarantine",
        "api_keys",
        "usage_days",
        "definitions",
        "thresholds",
        "notices",
        "destinations",
        "deliveries",
        "digests",
      ];
      return Promise.all(
        tables.map(
          async (table) =>
            (await env.DB.prepare(`SELECT * FROM ${table} WHERE project_id = ?`).bind(theirs.id).all()).results,
        ),
      );
    };
    const before = await snapshot();
    for (const { target, body } of routes(ids)) await call(mine, target, { body });
    expect(await snapshot()).toEqual(before);
    const { pathname, search } = new URL(ids.public_url);
    expect((await call(mine, `GET ${pathname}${search}`, { key: null })).status).toBe(200);
  });
});

describe("every answer has the headers that keep it private", () => {
  const paths = [
    "GET /",
    "GET /docs",
    "GET /v1/health",
    "GET /nowhere",
    "POST /v1/health",
    "GET /v1/metrics",
    "GET /v1/metrics?x=1",
    "GET /openapi.json",
  ];
  test.each([...paths.map((target) => ({ target, key: undefined })), { target: "GET /v1/metrics", key: null }])(
    "$target",
    async ({ target, key }) => {
      const project = await makeProject();
      const { headers } = await call(project, target, key === undefined ? {} : { key });
      expect(Object.fromEntries(headers)).toMatchObject({
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "content-security-policy": expect.stringContaining("default-src 'none'") as string,
        "cross-origin-resource-policy": "same-origin",
        "strict-transport-security": expect.stringContaining("max-age=") as string,
        "x-request-id": expect.stringMatching(/^req_/) as string,
      });
      if (target.includes("/v1/")) expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("access-control-allow-origin")).toBeNull();
    },
  );
});
