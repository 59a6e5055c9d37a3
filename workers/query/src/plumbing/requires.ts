import { authenticate } from "@tidemark/http/authenticate";
import type { Scope } from "@tidemark/http/keys";
import type { MiddlewareHandler } from "hono";
import type { QueryAppEnv } from "../env.ts";

/** Lets only keys with a scope pass, before anything else of the request is read. */
export function requires(scope: Scope): MiddlewareHandler<QueryAppEnv> {
  return async (context, next) => {
    context.set("principal", await authenticate(context.req.raw, scope, context.env));
    await next();
    context.res.headers.set("cache-control", "no-store");
  };
}
