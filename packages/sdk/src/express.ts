import type { Consumption } from "./decisions.ts";
import { toDenial } from "./denial.ts";
import { meterRequest, type RequestFacts, type RequestMeterOptions } from "./request-meter.ts";

/** What the middleware uses of Express's request. */
export interface ExpressRequest {
  readonly method: string;
  readonly baseUrl: string;
  /** Set by Express when a route has matched. */
  readonly route?: unknown;
  readonly headers: Readonly<Record<string, string | readonly string[] | undefined>>;
}

/** What the middleware uses of Express's response. */
export interface ExpressResponse {
  statusCode: number;
  readonly headersSent: boolean;
  setHeader: (name: string, value: string) => unknown;
  end: (body: string) => unknown;
  on: (event: "finish" | "close", listener: () => void) => unknown;
}

export interface ExpressMeterOptions<Q, S> extends RequestMeterOptions<Q> {
  /** Answers a request that was denied; without it, that is a 429 as `application/problem+json`. */
  readonly onDenied?: ((request: Q, response: S, denial: Consumption) => void | Promise<void>) | undefined;
}

/** A client that went away before the answer: the status that nginx gives it in its log. */
const CLIENT_CLOSED = 499;

/**
 * Meters every request: one event after the response, with the route, method, status and latency. Tidemark
 * being away neither delays nor breaks a request. Use it after what authenticates the customer.
 *
 * @example
 * app.use(tidemark({ client, customer: (request: Request) => request.get("x-customer"), enforce: { metric: "api_request" } }));
 */
export function tidemark<Q extends ExpressRequest, S extends ExpressResponse>(
  options: ExpressMeterOptions<Q, S>,
): (request: Q, response: S, next: (error?: unknown) => void) => Promise<void> {
  return async (request, response, next) => {
    // Listened for from the start: the client may go away while the limit is asked for.
    const ended = statusAtEnd(response);
    try {
      const metered = await meterRequest(options, request);
      if (metered.denial !== null) {
        if (options.onDenied === undefined) deny(response, metered.denial);
        else await options.onDenied(request, response, metered.denial);
        return;
      }
      void ended.then((status) => metered.finish(() => toFacts(request, status)));
    } catch (error) {
      next(error);
      return;
    }
    next();
  };
}

/** The status of the response when it is over: what is written to a client that is gone changes it no more. */
function statusAtEnd(response: ExpressResponse): Promise<number> {
  return new Promise((resolve) => {
    const end = (): void => resolve(response.headersSent ? response.statusCode : CLIENT_CLOSED);
    response.on("finish", end);
    response.on("close", end);
  });
}

function deny(response: ExpressResponse, denial: Consumption): void {
  const { status, headers, body } = toDenial(denial, Date.now());
  response.statusCode = status;
  for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
  response.end(body);
}

function toFacts(request: ExpressRequest, status: number): RequestFacts {
  return {
    endpoint: routeOf(request),
    method: request.method,
    status,
    header: (name) => {
      const value = request.headers[name];
      return typeof value === "string" ? value : value?.[0];
    },
  };
}

/** The pattern as it was written, behind that of the router it stands in. */
function routeOf({ baseUrl, route }: ExpressRequest): string | undefined {
  const path: unknown = (route as { readonly path?: unknown } | undefined)?.path;
  if (path === undefined) return undefined;
  return baseUrl + (typeof path === "string" ? path : path instanceof RegExp ? path.source : JSON.stringify(path));
}
