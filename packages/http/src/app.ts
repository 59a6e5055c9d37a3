import { Hono } from "hono";
import { errorResponse, Problem, problemResponse } from "./problem.ts";

/** What every route finds in its context. */
export interface RequestVariables {
  request_id: string;
}

export interface AppEnv<Bindings extends object> {
  Bindings: Bindings;
  Variables: RequestVariables;
}

const METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] as const;

/** A request id, for the answer's header and for what is logged. */
export function newRequestId(): string {
  return `req_${crypto.randomUUID()}`;
}

/** A Hono app with the plumbing that every Worker shares. */
export function createApp<Bindings extends object>(): Hono<AppEnv<Bindings>> {
  const app = new Hono<AppEnv<Bindings>>();
  addPlumbing(app);
  return app;
}

/** Adds request ids, problems, 404 and 405 to an app of any Hono kind. Call it before adding routes. */
export function addPlumbing<Bindings extends object>(app: Hono<AppEnv<Bindings>>): void {
  app.use(async (context, next) => {
    const requestId = newRequestId();
    context.set("request_id", requestId);
    await next();
    context.res.headers.set("x-request-id", requestId);
  });
  app.onError((error, context) => errorResponse(error, context.get("request_id"), context.req.url));
  app.notFound((context) => {
    const allowed = METHODS.filter((method) => hasRoute(app, method, context.req.path));
    const problem =
      allowed.length === 0
        ? new Problem("not_found", `There is nothing at ${context.req.path.slice(0, 200)}.`)
        : new Problem("method_not_allowed", `${context.req.method} is not one of ${allowed.join(", ")}.`, {
            headers: { allow: allowed.join(", ") },
          });
    return problemResponse(problem, context.get("request_id"), context.req.url);
  });
}

/** Whether a handler, not only middleware, answers this method on this path. */
function hasRoute<Bindings extends object>(app: Hono<AppEnv<Bindings>>, method: string, path: string): boolean {
  const [matches] = app.router.match(method === "HEAD" ? "GET" : method, path);
  return matches.some(([[, route]]) => route.method !== "ALL");
}
