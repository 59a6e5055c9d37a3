import { ProblemSchema } from "@tidemark/contract/answer-schema";
import type * as z from "zod";

/** Pieces of route descriptions. */

/** An answer as JSON. */
export function json<Schema extends z.ZodType>(schema: Schema, description: string) {
  return { description, content: { "application/json": { schema } } };
}

/** A body as JSON, which must be there. */
export function body<Schema extends z.ZodType>(schema: Schema) {
  return { required: true, content: { "application/json": { schema } } };
}

const problem = { "application/problem+json": { schema: ProblemSchema } };

const FAILURES = {
  400: { description: "The request is not valid.", content: problem },
  401: { description: "The key is missing or not valid.", content: problem },
  403: { description: "The key lacks the scope.", content: problem },
  404: { description: "There is no such thing in this project.", content: problem },
  409: { description: "The request conflicts with what exists.", content: problem },
  413: { description: "The body is too large.", content: problem },
  415: { description: "The body is not JSON.", content: problem },
  429: { description: "Too many requests.", content: problem },
  500: { description: "Something failed on our side.", content: problem },
  503: { description: "The database did not answer.", content: problem },
} as const;

/** The failures of a route, beside those that every route with a key has. */
export function failures<Status extends keyof typeof FAILURES>(...statuses: readonly Status[]) {
  const chosen = [400, 401, 403, 500, 503, ...statuses] as const;
  return Object.fromEntries(chosen.map((status) => [status, FAILURES[status]])) as Pick<
    typeof FAILURES,
    Status | 400 | 401 | 403 | 500 | 503
  >;
}

/** In `security` of every route that wants a key. */
export const KEYED = [{ key: [] }];
