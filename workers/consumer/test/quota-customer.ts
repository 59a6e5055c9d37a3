import { env } from "cloudflare:workers";
import {
  type ApplyReply,
  type ApplyRequest,
  type BalanceDefinition,
  type BalancesReply,
  type DecideReply,
  type DecideRequest,
  type Decision,
  type DefineReply,
  type DefineRequest,
  type FinalCycle,
  meterName,
} from "@tidemark/contract";
import { hashId } from "@tidemark/core";
import { defineRequest } from "@tidemark/testing/quota";
import { afterEach, beforeEach, vi } from "vitest";
import type { CustomerMeter } from "../src/customer-meter/customer-meter.ts";

/** Milliseconds of a UTC time like `2026-01-10T00:00`. */
export const at = (text: string): number => Date.parse(`${text}Z`);

let customers = 0;
let customer_id: string;
let ids = 0;

/** Gives each test a customer of its own, and stops the clock on 10 January 2026. */
export function withCustomer(): void {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["Date"], now: at("2026-01-10T00:00") });
    customer_id = `c${++customers}`;
  });
  afterEach(() => {
    vi.useRealTimers();
  });
}

/** The customer's address. */
export function address(): { readonly project_id: string; readonly customer_id: string } {
  return { project_id: "p", customer_id };
}

/** The customer's meter. */
export function meter(): DurableObjectStub<CustomerMeter> {
  return env.METERS.get(env.METERS.idFromName(meterName("p", customer_id)));
}

/** Sets an allowance of the metric `m`, 1,000 a month, but for what is wished. */
export async function define(
  { replaces = null, mode = "keep", ...wish }: Wish & Pick<Partial<SetRequest>, "replaces" | "mode"> = {},
  expected?: BalanceDefinition,
): Promise<DefineReply> {
  const request = { ...defineRequest({ ...address(), ...wish }), replaces, mode };
  return meter().define(expected === undefined ? request : { ...request, expected });
}

type Wish = Partial<Parameters<typeof defineRequest>[0]>;
type SetRequest = Extract<DefineRequest, { readonly kind: "set" }>;

/** Ends an allowance. */
export async function end(id = "alw_m"): Promise<DefineReply> {
  return meter().define({ ...address(), kind: "end", id });
}

/** Grants units, or takes them away. */
export async function grant(units: number, id: string, expires_at: number | null = null): Promise<DefineReply> {
  return meter().define({ ...address(), kind: "grant", metric_id: "m", id, units, expires_at, reason: "a test" });
}

/** Asks for what is not complete to be completed. */
export async function ask(request: Partial<DecideRequest> & Pick<DecideRequest, "kind">): Promise<DecideReply> {
  return meter().decide({ ...address(), catalog_version: 1, ...request } as DecideRequest);
}

type Use = Extract<DecideRequest, { readonly kind: "consume" | "check" }>;

/** Consumes of the metric `m`. @throws Error with the problem where there is one. */
export async function consume(amount: number | string, change: Partial<Use> = {}): Promise<Decision> {
  const items = [{ metric: "m", amount }];
  const use = { kind: "consume", items, properties: null, returns: null, enforce: true } as const;
  const reply = await ask({ ...use, id: `x${++ids}`, is_named: true, ...change });
  if (reply.kind !== "decision") throw new Error(JSON.stringify(reply));
  return reply.answer;
}

export const reserve = (amount: number, id: string, change: object = {}): Promise<DecideReply> =>
  ask({ kind: "reserve", item: { metric: "m", amount }, id, ttl_ms: 60_000, on_expiry: "release", ...change });

export const commit = (reservation: string, change: object = {}): Promise<DecideReply> =>
  ask({ kind: "commit", reservation, amount: null, properties: null, on_excess: "reject", ...change });

export const lease = (want: number, id: string, change: object = {}): Promise<DecideReply> =>
  ask({ kind: "lease", metric: "m", want, holder: "h", id, ttl_ms: 60_000, return_after_ms: null, ...change });

export const report = (
  id: string,
  sequence: number | null,
  used: number,
  want: number | null,
  key: string | null = null,
): Promise<DecideReply> => ask({ kind: "report", lease: id, sequence, key, used, want, ttl_ms: null });

/** Counts events with these ids and instants, of a metric with the label `/a`. */
export async function applyEvents(
  events: readonly (readonly [id: string, instant: number, value?: number])[],
  { metric = "m", ...rest }: Partial<ApplyRequest> & { readonly metric?: string } = {},
): Promise<ApplyReply> {
  const fingerprints = new Uint32Array(events.length * 3);
  events.forEach(([id], i) => {
    hashId(id, fingerprints, i * 3);
    fingerprints[i * 3 + 2] = 7;
  });
  return meter().apply({
    ...address(),
    fingerprints,
    instants: Float64Array.from(events, ([, instant]) => instant),
    catalog_version: 1,
    series: [{ metric_id: metric, aggregation: "count", labels: ["/a"], segments: 0 }],
    matches: Uint32Array.from(events.flatMap((_, i) => [i, 0])),
    values: Float64Array.from(events, ([, , value = 1]) => value),
    large: [],
    rejected: [],
    recent: [],
    ...rest,
  });
}

/** Everything that the customer may use, as it stands. */
export async function balances(): Promise<BalancesReply["balances"]> {
  return (await meter().balances(address())).balances;
}

/** The customer's final cycles, latest first. */
export async function cycles(): Promise<readonly FinalCycle[]> {
  const request = { ...address(), balance_id: null, before: Infinity, limit: 100 };
  return meter().cycles(request);
}

/** What some counters came to on all days. */
export async function counted(...counters: readonly string[]): Promise<Record<string, number>> {
  const { days } = await meter().read({ ...address(), metric_ids: counters, from_day: 0, to_day: 40_000 });
  const sums: Record<string, number> = {};
  for (const { metric_id, value } of days) sums[metric_id] = (sums[metric_id] ?? 0) + Number(value);
  return sums;
}
