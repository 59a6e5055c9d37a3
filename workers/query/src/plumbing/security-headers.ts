import type { MiddlewareHandler } from "hono";
import type { QueryAppEnv } from "../env.ts";

/** A page may load its stylesheet and show inline images, and nothing else; no script runs anywhere. */
const POLICY = "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'";

/** Headers of every answer, errors included. A route that has set one of them keeps its own. */
export const securityHeaders: MiddlewareHandler<QueryAppEnv> = async (context, next) => {
  await next();
  const { headers } = context.res;
  for (const [name, value] of Object.entries(HEADERS)) {
    if (!headers.has(name)) headers.set(name, value);
  }
};

/** What a browser may do with a page; `embeddable` lets any page put it into a frame. */
export function contentSecurityPolicy(embeddable: boolean): string {
  return `${POLICY}; frame-ancestors ${embeddable ? "*" : "'none'"}`;
}

const HEADERS: Readonly<Record<string, string>> = {
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "strict-transport-security": "max-age=31536000; includeSubDomains",
  "content-security-policy": contentSecurityPolicy(false),
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
};
