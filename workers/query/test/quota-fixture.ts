import { type DecideReply, type DecideRequest, type Decision, meterName } from "@tidemark/contract";
import { type Aggregation, FINGERPRINT_WORDS, hashId } from "@tidemark/core";
import { env } from "cloudflare:workers";
import type { QueryEnv } from "../src/index.ts";
import { json, type TestProject } from "./fixture.ts";

/** Makes a limit through the API. */
export async function setAllowance(
  project: TestProject,
  customer: string,
  body: object,
  status = 201,
): Promise<{ id: string }> {
  return json(project, `POST /v1/customers/${encodeURIComponent(customer)}/allowances`, { body, status });
}

/** Subscribes a customer through the API. */
export async function subscribeTo(project: TestProject, customer: string, body: object): Promise<{ id: string }> {
  return json(project, `POST /v1/customers/${encodeURIComponent(customer)}/subscriptions`, { body, status: 201 });
}

let made = 0;

export interface Consume {
  readonly amount?: number | string;
  readonly id?: string;
  readonly properties?: Readonly<Record<string, unknown>>;
}

/** Asks the customer's meter itself, as the write path does. */
export async function consume(
  project: TestProject,
  customer: string,
  metric: string,
  { amount = 1, id = `use-${++made}`, properties }: Consume = {},
): Promise<Decision> {
  const reply = await decide(project, customer, {
    kind: "consume",
    items: [{ metric, amount }],
    id,
    is_named: true,
    properties: properties ?? null,
    returns: null,
    enforce: true,
  });
  if (reply.kind !== "decision") throw new Error(JSON.stringify(reply));
  return reply.answer;
}

/** Reserves for five minutes. @returns the reservation's id. */
export async function reserve(project: TestProject, customer: string, metric: string, amount: number): Promise<string> {
  const id = `rsv-${++made}`;
  const item = { metric, amount };
  const reply = await decide(project, customer, { kind: "reserve", item, id, ttl_ms: 300_000, on_expiry: "release" });
  if (reply.kind !== "reservation") throw new Error(JSON.stringify(reply));
  return reply.answer.id;
}

/** Something that has happened, as the consumer would tell the customer's meter. */
export interface Fact {
  /** Milliseconds. */
  readonly at: number;
  /** In the metric's smallest unit. */
  readonly value: number;
  readonly segments?: number;
  readonly labels?: readonly string[];
}

/** Tells the customer's meter of events that a metric counted. */
export async function report(
  project: TestProject,
  customer: string,
  metric: { readonly id: string; readonly aggregation: Aggregation },
  facts: readonly Fact[],
): Promise<void> {
  const fingerprints = new Uint32Array(facts.length * FINGERPRINT_WORDS);
  facts.forEach((_, index) => {
    hashId(`event-${++made}`, fingerprints, index * FINGERPRINT_WORDS);
  });
  await meterOf(project, customer).apply({
    project_id: project.id,
    customer_id: customer,
    catalog_version: 1_000,
    fingerprints,
    instants: Float64Array.from(facts, ({ at }) => at),
    series: facts.map(({ segments = 0, labels = [] }) => ({
      metric_id: metric.id,
      aggregation: metric.aggregation,
      labels,
      segments,
    })),
    matches: Uint32Array.from(facts.flatMap((_, index) => [index, index])),
    values: Float64Array.from(facts, ({ value }) => value),
    large: [],
    rejected: [],
    recent: [],
  });
}

/** What is asked, without whose it is. */
type Asked = DecideRequest extends infer Request
  ? Request extends DecideRequest
    ? Omit<Request, "project_id" | "customer_id" | "catalog_version">
    : never
  : never;

async function decide(project: TestProject, customer: string, asked: Asked): Promise<DecideReply> {
  const address = { project_id: project.id, customer_id: customer, catalog_version: 0 };
  return meterOf(project, customer).decide({ ...address, ...asked });
}

function meterOf(project: TestProject, customer: string) {
  return env.METERS.get(env.METERS.idFromName(meterName(project.id, customer)));
}

/** Meters that nobody can reach. */
export function metersThatFail(): QueryEnv["METERS"] {
  const fail = async () => {
    throw new Error("unreachable");
  };
  const meter = new Proxy({}, { get: () => fail });
  return { idFromName: (name: string) => name, get: () => meter } as unknown as QueryEnv["METERS"];
}

/** Meters that take their time between telling where balances stand and telling what is final. */
export function metersThatLinger(pass: () => void): QueryEnv["METERS"] {
  return {
    idFromName: (name: string) => env.METERS.idFromName(name),
    get: (id: DurableObjectId) =>
      new Proxy(env.METERS.get(id), {
        get(meter, name) {
          if (name === "cycles") pass();
          return Reflect.get(meter, name) as unknown;
        },
      }),
  } as unknown as QueryEnv["METERS"];
}

/** A database that fails to write to a table. */
export function withoutDatabase(table: string): Partial<QueryEnv> {
  const DB = new Proxy(env.DB, {
    get(db, name) {
      if (name === "batch") return (statements: D1PreparedStatement[]) => db.batch(statements);
      return (sql: string) => {
        if (sql.includes(`INSERT INTO ${table}`))
          return Object.assign(db.prepare("SELECT * FROM broken"), { bind: () => db.prepare("SELECT * FROM broken") });
        return db.prepare(sql);
      };
    },
  });
  return { DB };
}
