import type { Notice } from "@tidemark/contract";
import { toExactJson } from "@tidemark/core/exact-json";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { registerCustomers } from "./customer-registration.ts";
import { readDefaultProduct } from "./default-product.ts";
import { type DefinitionRow, endDefinition, listDefinitions, listUses, writeDefinition } from "./definitions.ts";
import { readMetered } from "./metered.ts";
import { insertNotices, listNotices } from "./notices.ts";
import { readUnavailable } from "./unavailable.ts";

const NOW = Date.parse("2026-11-20T12:00:00Z");

async function makeProject(id: string): Promise<string> {
  await env.DB.prepare("INSERT INTO projects VALUES (?, ?, 'UTC', 1, 0)").bind(id, id).run();
  return id;
}

async function makeMetric(projectId: string, id: string, ...slugs: readonly string[]): Promise<void> {
  const rules = JSON.stringify({ event_matchers: [{ event: "e" }], aggregation: "count", decimal_places: 0 });
  const [slug = id] = slugs;
  await env.DB.batch([
    env.DB.prepare("INSERT INTO metrics VALUES (?, ?, ?, 1, ?, 0, 0, NULL)").bind(projectId, id, slug, rules),
    ...slugs.map((name) => env.DB.prepare("INSERT INTO metric_slugs VALUES (?, ?, ?)").bind(projectId, name, id)),
    addVersion(projectId, id, 1, null),
  ]);
}

function addVersion(projectId: string, id: string, version: number, countsFrom: number | null): D1PreparedStatement {
  const rules = JSON.stringify({ event_matchers: [{ event: `e${version}` }], aggregation: "count" });
  return env.DB.prepare(
    `INSERT INTO metric_versions (project_id, metric_id, version, counter_id, definition, effective_from, counts_from, created_at)
     VALUES (?, ?, ?, ?, ?, 0, ?, 0)`,
  ).bind(projectId, id, version, `${id}.${version}`, rules, countsFrom);
}

function addThreshold(projectId: string, id: string, metric: string, customer: string | null, line: object) {
  const definition = toExactJson({ name: null, operator: ">=", line });
  return env.DB.prepare("INSERT INTO thresholds VALUES (?, ?, ?, ?, 1, ?, 0, 0)")
    .bind(projectId, id, metric, customer, definition)
    .run();
}

describe("a metric is told to a meter", () => {
  test("by the version that counts now, with where the next one takes over", async () => {
    const projectId = await makeProject("versions");
    await makeMetric(projectId, "met_1", "one");
    await env.DB.batch([addVersion(projectId, "met_1", 2, NOW - 5), addVersion(projectId, "met_1", 3, NOW + 5)]);
    const at = async (now: number) =>
      (await readMetered(env.DB, projectId, ["met_1", "met_gone"], { customer_id: null, now })).map(({ metric }) => [
        metric.version,
        metric.counts_until,
        metric.slug,
      ]);
    expect(await at(NOW - 6)).toEqual([[1, NOW - 5, "one"]]);
    expect(await at(NOW)).toEqual([[2, NOW + 5, "one"]]);
    expect(await at(NOW + 5)).toEqual([[3, null, "one"]]);
  });

  test("with the thresholds of all customers and the customer's own, in the order of crossing, and the catalog", async () => {
    const projectId = await makeProject("thresholds");
    await makeMetric(projectId, "met_1", "one");
    await makeMetric(projectId, "met_2", "two");
    await addThreshold(projectId, "thr_1", "met_1", null, { units: 2n ** 60n });
    await addThreshold(projectId, "thr_2", "met_1", "acme", { units: 800 });
    await addThreshold(projectId, "thr_3", "met_1", "globex", { percent: 80 });
    await addThreshold(projectId, "thr_4", "met_2", null, { percent: 90 });
    await env.DB.prepare("UPDATE projects SET catalog_version = 7 WHERE id = ?").bind(projectId).run();
    const told = await readMetered(env.DB, projectId, ["met_1"], { customer_id: "acme", now: NOW });
    expect(told).toMatchObject([
      {
        catalog_version: 7,
        thresholds: [
          { id: "thr_2", version: 1, name: null, operator: ">=", line: { units: 800 } },
          { id: "thr_1", line: { units: 2n ** 60n } },
        ],
      },
    ]);
    const [all] = await readMetered(env.DB, projectId, ["met_1"], { customer_id: null, now: NOW });
    expect(all?.thresholds.map(({ id }) => id)).toEqual(["thr_1"]);
    expect(await readMetered(env.DB, "another", ["met_1"], { customer_id: "acme", now: NOW })).toEqual([]);
  });
});

const ROW: DefinitionRow = {
  id: "alw_1",
  metric_id: "met_1",
  product_id: null,
  unavailable: "open",
  version: 3,
  body: "{}",
  created_at: 1,
  ended_at: null,
};

describe("a definition", () => {
  test("is never replaced by an older copy, and writing it again changes nothing", async () => {
    const acme = { project_id: "copies", customer_id: "acme" };
    await writeDefinition(env.DB, acme, ROW).run();
    await writeDefinition(env.DB, acme, { ...ROW, version: 2, body: "old" }).run();
    await writeDefinition(env.DB, acme, { ...ROW, body: "same" }).run();
    expect(await listDefinitions(env.DB, acme, 10)).toEqual([ROW]);
    await endDefinition(env.DB, acme, { id: "alw_1", version: 4, at: 9 }).run();
    await endDefinition(env.DB, acme, { id: "alw_1", version: 5, at: 10 }).run();
    expect(await listDefinitions(env.DB, acme, 10)).toEqual([{ ...ROW, version: 4, ended_at: 9 }]);
  });

  test("says who still uses a metric or product", async () => {
    const at = (customer_id: string) => ({ project_id: "uses", customer_id });
    await env.DB.batch([
      writeDefinition(env.DB, at("b"), { ...ROW, id: "sub_1", product_id: "prod_1" }),
      writeDefinition(env.DB, at("a"), ROW),
      writeDefinition(env.DB, at("c"), { ...ROW, ended_at: 5 }),
      writeDefinition(env.DB, { project_id: "others", customer_id: "d" }, ROW),
    ]);
    const own = { customer_id: "b", id: "sub_1", product_id: "prod_1" };
    expect(await listUses(env.DB, "uses", { column: "product_id", id: "prod_1" }, 5)).toEqual([own]);
    expect(await listUses(env.DB, "uses", { column: "metric_id", id: "met_1" }, 5)).toEqual([
      { customer_id: "a", id: "alw_1", product_id: null },
      own,
    ]);
  });
});

test("a metric whose meter cannot be reached is open only when every live limit of it says so, by any slug it had", async () => {
  const projectId = await makeProject("unavailable");
  await makeMetric(projectId, "met_1", "now", "before");
  const acme = { project_id: projectId, customer_id: "acme" };
  const ask = (slug: string, customer = "acme") => readUnavailable(env.DB, projectId, customer, slug);
  expect(await ask("now")).toBe("closed");
  await writeDefinition(env.DB, acme, ROW).run();
  expect([await ask("now"), await ask("before"), await ask("other"), await ask("now", "b")]).toEqual([
    "open",
    "open",
    "closed",
    "closed",
  ]);
  await writeDefinition(env.DB, acme, { ...ROW, id: "sub_1", unavailable: "closed" }).run();
  expect(await ask("now")).toBe("closed");
  await endDefinition(env.DB, acme, { id: "sub_1", version: 9, at: 5 }).run();
  expect(await ask("now")).toBe("open");
});

test("a project has one default product at most", async () => {
  const insert = (project: string, id: string, isDefault: number) =>
    env.DB.prepare("INSERT INTO products VALUES (?, ?, ?, 'usage', 'met_1', '{}', 0, 0, ?)")
      .bind(project, id, id, isDefault)
      .run();
  await insert("defaults", "prod_1", 0);
  expect(await readDefaultProduct(env.DB, "defaults")).toBeUndefined();
  await insert("defaults", "prod_2", 1);
  await insert("others", "prod_3", 1);
  await expect(insert("defaults", "prod_4", 1)).rejects.toThrow("UNIQUE");
  expect(await readDefaultProduct(env.DB, "defaults")).toEqual({
    id: "prod_2",
    slug: "prod_2",
    metric_id: "met_1",
    definition: "{}",
  });
});

test("a notice is told once, and listed with the newest first", async () => {
  const notice = (id: string, at: number): Notice => ({
    id,
    kind: "threshold_crossed",
    metric_id: "met_1",
    at,
    body: '{"ü":"\\""}',
  });
  await insertNotices(env.DB, "notices", "acme", [notice("1", 5), notice("2", 7), notice("3", 7)]).run();
  await insertNotices(env.DB, "notices", "globex", [notice("1", 9)]).run();
  await insertNotices(env.DB, "others", "acme", [notice("1", 9)]).run();
  const page = await listNotices(env.DB, "notices", { before: undefined, limit: 2 });
  expect(page).toEqual(["3", "2"].map((id) => ({ ...notice(id, 7), customer_id: "acme" })));
  const next = await listNotices(env.DB, "notices", { before: { at: 7, id: "2" }, limit: 2 });
  expect(next).toEqual([{ ...notice("1", 5), customer_id: "acme" }]);
});

test("a customer whom a person named gets the time of the first event when this comes, and keeps it", async () => {
  const register = (first_seen_at: number | null) =>
    registerCustomers(env.DB, "named", NOW, [{ customer_id: "acme", first_seen_at }]).run();
  const seen = () =>
    env.DB.prepare("SELECT first_seen_at FROM customers WHERE project_id = 'named'").first("first_seen_at");
  const found = [];
  for (const at of [null, null, 5, 7, null]) {
    await register(at);
    found.push(await seen());
  }
  expect(found).toEqual([null, null, 5, 5, 5]);
});
