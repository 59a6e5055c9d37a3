import type { Consumption } from "./decisions.ts";
import { toDenial } from "./denial.ts";
import { meterRequest, type RequestFacts, type RequestMeterOptions } from "./request-meter.ts";
import type { WaitUntil } from "./tidemark.ts";

/** What the middleware uses of Hono's context. */
export interface HonoContext {
  readonly req: {
    readonly method: string;
    readonly routePath: string;
    header: (name: string) => string | undefined;
  };
  readonly res: { readonly status: number };
  /** In Workers; elsewhere reading it throws. */
  readonly executionCtx: { waitUntil: WaitUntil };
}

export interface HonoMeterOptions<C> extends RequestMeterOptions<C> {
  /** Answers a request that was denied; without it, that is a 429 as `application/problem+json`. */
  readonly onDenied?: ((context: C, denial: Consumption) => Response | Promise<Response>) | undefined;
}

/**
 * Meters every request: one event after the response, with the route, method, status and latency. Tidemark
 * being away neither delays nor breaks a request. Use it after what authenticates the customer.
 *
 * @example
 * app.use(tidemark({ client, customer: (c: Context<Env>) => c.get("customer"), enforce: { metric: "api_request" } }));
 */
export function tidemark<C extends HonoContext>(
  options: HonoMeterOptions<C>,
): (context: C, next: () => Promise<void>) => Promise<Response | undefined> {
  return async (context, next) => {
    const request = await meterRequest(options, context);
    if (request.denial !== null) {
      return options.onDenied === undefined ? deny(request.denial) : options.onDenied(context, request.denial);
    }
    try {
      await next();
    } catch (error) {
      request.finish(() => toFacts(context, 500));
      throw error;
    }
    request.finish(() => toFacts(context, context.res.status));
    return undefined;
  };
}

function deny(denial: Consumption): Response {
  const { status, headers, body } = toDenial(denial, Date.now());
  return new Response(body, { status, headers });
}

function toFacts(context: HonoContext, status: number): RequestFacts {
  const { req } = context;
  return {
    endpoint: req.routePath,
    method: req.method,
    status,
    header: (name) => req.header(name),
    waitUntil: waitUntilOf(context),
  };
}

function waitUntilOf(context: HonoContext): WaitUntil | undefined {
  try {
    const { executionCtx } = context;
    return (work) => executionCtx.waitUntil(work);
  } catch {
    return undefined;
  }
}
