import type { Context } from "hono";
import { accepts } from "hono/accepts";
import type { QueryAppEnv } from "../env.ts";

export type Format = "json" | "csv" | "ndjson";

const TYPES = { "application/json": "json", "text/csv": "csv", "application/x-ndjson": "ndjson" } as const;

/** What to write the answer as: the query's `format` if it has one, else what the Accept header likes best. */
export function chooseFormat(context: Context<QueryAppEnv>, asked: Format | undefined): Format {
  if (asked !== undefined) return asked;
  const supports = Object.keys(TYPES);
  const type = accepts(context, { header: "Accept", supports, default: "application/json" });
  return TYPES[type as keyof typeof TYPES];
}
