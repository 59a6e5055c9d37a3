import type { MetricInput } from "@tidemark/contract/metric-schema";
import { LABEL_LIMITS } from "@tidemark/contract";
import { type Aggregation, fromInteger, hash52, MetricDay } from "@tidemark/core";
import { dayOf } from "@tidemark/core/timestamp";
import type { UsageDay } from "@tidemark/core/usage-day";
import { writeUsageDays } from "@tidemark/db/rollups";
import type { Scope } from "@tidemark/http/keys";
import { createTenant } from "@tidemark/testing/tenant";
import { env } from "cloudflare:workers";
import { app, type QueryEnv } from "../src/index.ts";

/** A project with a key of each scope, and what tests do with it. */
export interface TestProject {
  readonly id: string;
  readonly keys: Readonly<Record<Scope, string>>;
}

/** Something that happened, as the meter would have counted it. */
export interface Use {
  readonly customer: string;
  /** Milliseconds. */
  readonly at: number;
  /** In the metric's smallest unit; 1 when absent. */
  readonly value?: bigint | number;
  readonly labels?: readonly string[];
  /** Bit `i`: in segment `i`. */
  readonly segments?: number;
  /** Which event it was; of `latest` values said at one time the one with the higher hash counts. */
  readonly id?: string;
}

let made = 0;

/** Makes a project; its id differs from every other in the file. */
export async function makeProject(timeZone = "UTC"): Promise<TestProject> {
  const { projectId, keys } = await createTenant(env, `project-${++made}`, timeZone);
  return { id: projectId, keys };
}

export interface CallOptions {
  readonly key?: string | null;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  readonly bindings?: Partial<QueryEnv>;
}

/** Calls the app with the project's admin key, or another, or none (`null`). */
export async function call(project: TestProject, target: string, options: CallOptions = {}): Promise<Response> {
  const [method = "GET", path = "/"] = target.split(" ", 2);
  const { key = project.keys.admin, body, headers = {}, bindings = {} } = options;
  const init: RequestInit = {
    method,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
      ...headers,
    },
    ...(body === undefined ? {} : { body: isRaw(body) ? body : JSON.stringify(body) }),
  };
  return app.request(path, init, { ...env, ...bindings });
}

function isRaw(body: unknown): body is string | Uint8Array<ArrayBuffer> {
  return typeof body === "string" || body instanceof Uint8Array;
}

/** The same, and the JSON of the answer, which must have the status. */
export async function json<Body = Record<string, unknown>>(
  project: TestProject,
  target: string,
  options: CallOptions & { readonly status?: number } = {},
): Promise<Body> {
  const response = await call(project, target, options);
  const text = await response.text();
  if (response.status !== (options.status ?? 200)) throw new Error(`${target} answered ${response.status}: ${text}`);
  return JSON.parse(text) as Body;
}

/** Makes a metric through the API and returns it. */
export async function makeMetric(
  project: TestProject,
  input: Partial<MetricInput> = {},
): Promise<{ id: string; slug: string }> {
  const body = { name: "API requests", aggregation: "count", event_matchers: [{ event: "api_request" }], ...input };
  return json(project, "POST /v1/metrics", { body, status: 201 });
}

/** Stores what happened as the rows that meters would have sent, and the customers. */
export async function store(
  project: TestProject,
  counterId: string,
  uses: readonly Use[],
  version = 1,
  aggregation: Aggregation = "sum",
): Promise<void> {
  const customers = [...Map.groupBy(uses, ({ customer }) => customer)];
  const days = customers.map(([customer_id, own]) => ({
    project_id: project.id,
    customer_id,
    days: toDays(counterId, own, version, aggregation),
  }));
  await writeUsageDays(env.DB, days);
  const statements = customers.map(([customer, own]) =>
    insertCustomer(
      project,
      customer,
      own.reduce((first, { at }) => Math.min(first, at), Infinity),
    ),
  );
  for (let at = 0; at < statements.length; at += 500) await env.DB.batch(statements.slice(at, at + 500));
}

/** One customer's uses as the days that a meter would answer. */
export function toDays(
  counterId: string,
  uses: readonly Use[],
  version = 1,
  aggregation: Aggregation = "sum",
): UsageDay[] {
  return [...Map.groupBy(uses, ({ at }) => dayOf(at))].map(([day, own]) => {
    const counted = MetricDay.empty(counterId, aggregation, day);
    for (const { at, value = 1, labels = [], segments = 0, id = "" } of own) {
      const group = counted.group(labels, segments, LABEL_LIMITS);
      counted.add(group, fromInteger(value.toString()), at, hash52(id), version);
    }
    return counted.toUsage();
  });
}

/** The exact sum of uses: the oracle that answers are compared with. */
export function total(uses: readonly Use[]): bigint {
  return uses.reduce((sum, { value = 1 }) => sum + BigInt(value), 0n);
}

export function insertDay(project: TestProject, customer: string, day: UsageDay): D1PreparedStatement {
  return env.DB.prepare(
    `INSERT INTO usage_days
       (project_id, metric_id, day, customer_id, version, value, events, rejected, last_at, groups, rejections)
     VALUES (?, ?, ?, ?, ?, CAST(? AS INTEGER), ?, ?, ?, ?, ?)`,
  ).bind(
    project.id,
    day.metric_id,
    day.day,
    customer,
    day.version,
    day.value,
    day.events,
    day.rejected,
    day.last_at,
    JSON.stringify(day.groups),
    day.rejections === undefined ? null : JSON.stringify(day.rejections),
  );
}

export function insertCustomer(
  project: TestProject,
  customer: string,
  firstSeenAt: number | null,
): D1PreparedStatement {
  return env.DB.prepare(
    "INSERT OR IGNORE INTO customers (project_id, customer_id, first_seen_at, created_at) VALUES (?, ?, ?, 0)",
  ).bind(project.id, customer, firstSeenAt);
}

/** Meters that answer as told, in place of the real ones. */
export function metersThat(
  read: (request: { customer_id: string; from_day: number; to_day: number }) => Promise<unknown>,
): QueryEnv["METERS"] {
  return { idFromName: (name: string) => name, get: () => ({ read }) } as unknown as QueryEnv["METERS"];
}

/** A database that notes every statement with what was bound to it. */
export function recordStatements(): {
  readonly DB: D1Database;
  readonly statements: { sql: string; params: unknown[] }[];
} {
  const statements: { sql: string; params: unknown[] }[] = [];
  const DB = new Proxy(env.DB, {
    get(db, name) {
      if (name === "batch") return (list: D1PreparedStatement[]) => db.batch(list);
      if (name !== "prepare") throw new Error(`no statement is noted of ${String(name)}`);
      return (sql: string) => {
        const noted = { sql, params: [] as unknown[] };
        statements.push(noted);
        const statement = db.prepare(sql);
        const bind = statement.bind.bind(statement);
        return Object.assign(statement, {
          bind: (...params: unknown[]) => {
            noted.params = params;
            return bind(...params);
          },
        });
      };
    },
  });
  return { DB, statements };
}
