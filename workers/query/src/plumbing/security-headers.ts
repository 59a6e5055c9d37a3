import type { MiddlewareHandler } from "hono";
import type { QueryAppEnv } from "../env.ts";

/** Headers of every answer, errors included. A route that has set one of them keeps its own. */
export const securityHeaders: MiddlewareHandler<QueryAppEnv> = async (context, next) => {
  await next();
  const { headers } = context.res;
  for (const [name, value] of Object.entries(HEADERS)) {
    if (!headers.has(name)) headers.set(name, value);
  }
};

/**
 * What a browser may do with a page: load its stylesheet and show inline images, and nothing else; no script runs
 * anywhere. `embeddable` lets every page put it into a frame; `style` is where its styles come from.
 */
export function contentSecurityPolicy(embeddable: boolean, style = "'self'"): string {
  return (
    `default-src 'none'; style-src ${style}; img-src 'self' data:; base-uri 'none'; form-action 'none'; ` +
    `frame-ancestors ${embeddable ? "*" : "'none'"}`
  );
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
