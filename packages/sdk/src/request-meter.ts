import type { Quantity, UnavailablePolicy } from "./decision.ts";
import type { Consumption } from "./decisions.ts";
import type { Tidemark, WaitUntil } from "./tidemark.ts";
import type { Properties } from "./usage-event.ts";

/** How requests are metered; `C` is what the framework knows of a request. */
export interface RequestMeterOptions<C> {
  readonly client: Tidemark;
  /** Who is charged; `undefined` for a request that is nobody's, which is neither metered nor denied. */
  readonly customer: (context: C) => string | undefined;
  /** The event's name: `api_request` unless told. */
  readonly event?: string | undefined;
  /** The customer's plan, a property of the event. */
  readonly plan?: ((context: C) => string | undefined) | undefined;
  /** More properties of the event, read after the response. */
  readonly properties?: ((context: C) => Properties) | undefined;
  /** The pattern that matched, not the address: `/users/:id`. What the framework says unless told. */
  readonly route?: ((context: C) => string | undefined) | undefined;
  /** Ask for this metric's limit before the request is handled. Its event carries the same id and counts no second time. */
  readonly enforce?:
    | {
        readonly metric: string;
        /** 1 unless told. */
        readonly amount?: Quantity | ((context: C) => Quantity) | undefined;
        /** What holds when Tidemark cannot be reached; the client's own unless told. */
        readonly unavailable?: UnavailablePolicy | undefined;
      }
    | undefined;
}

/** What a framework tells of a request that was answered. */
export interface RequestFacts {
  readonly endpoint: string | undefined;
  readonly method: string;
  readonly status: number;
  readonly header: (name: string) => string | undefined;
  readonly waitUntil?: WaitUntil | undefined;
}

/** A request under way. */
export interface MeteredRequest {
  /** The denial, when the limit does not allow the request. A denied request is no usage: it has no event. */
  readonly denial: Consumption | null;
  /** Emits the event; the first call counts. Never throws. */
  readonly finish: (facts: () => RequestFacts) => void;
}

/**
 * Begins to meter a request: asks for the limit where one is enforced, and takes the time. Never throws: when
 * a function of the caller's does, that is told to `onError`, and the limit cannot be asked.
 */
export async function meterRequest<C>(options: RequestMeterOptions<C>, context: C): Promise<MeteredRequest> {
  const startedAt = performance.now();
  const id = crypto.randomUUID();
  const { customerId, consumption } = await decide(options, context, id);
  const denial = consumption?.allowed === false ? consumption : null;
  if (customerId === undefined) return { denial, finish: () => undefined };
  let isFinished = false;
  return {
    denial,
    finish: (facts) => {
      if (isFinished) return;
      isFinished = true;
      try {
        track(options, context, { id, customerId, latencyMs: performance.now() - startedAt }, facts());
      } catch (error) {
        options.client.report({ kind: "callback", error });
      }
    },
  };
}

interface Decided {
  /** Who is charged; `undefined` when that is nobody, or could not be told. */
  readonly customerId: string | undefined;
  /** `null` when no limit was to be asked. */
  readonly consumption: Consumption | null;
}

async function decide<C>(options: RequestMeterOptions<C>, context: C, id: string): Promise<Decided> {
  const { client, enforce } = options;
  let customerId: string | undefined;
  try {
    customerId = options.customer(context);
    if (customerId === undefined) return { customerId, consumption: null };
    return { customerId, consumption: await consume(options, context, customerId, id) };
  } catch (error) {
    client.report({ kind: "callback", error });
    const consumption = enforce === undefined ? null : { ...client.decideAlone(enforce.metric, enforce), id };
    return { customerId, consumption };
  }
}

async function consume<C>(
  { client, enforce }: RequestMeterOptions<C>,
  context: C,
  customerId: string,
  id: string,
): Promise<Consumption | null> {
  if (enforce === undefined) return null;
  const { metric, amount = 1, unavailable } = enforce;
  const units = typeof amount === "function" ? amount(context) : amount;
  // A revoked key is the operator's to mend: for the customer it is as if Tidemark were away.
  return client.consume(
    { customer_id: customerId, metric, amount: units, id },
    { unavailable, onRefused: "unavailable" },
  );
}

function track<C>(
  options: RequestMeterOptions<C>,
  context: C,
  request: { readonly id: string; readonly customerId: string; readonly latencyMs: number },
  { endpoint, method, status, header, waitUntil }: RequestFacts,
): void {
  options.client.track(
    {
      event: options.event ?? "api_request",
      customer_id: request.customerId,
      id: request.id,
      properties: {
        endpoint: options.route?.(context) ?? endpoint,
        method,
        status,
        latency_ms: Math.round(request.latencyMs),
        plan: options.plan?.(context),
        sdk_version: header("x-sdk-version"),
        ip_country: header("cf-ipcountry"),
        ...options.properties?.(context),
      },
    },
    { waitUntil },
  );
}
