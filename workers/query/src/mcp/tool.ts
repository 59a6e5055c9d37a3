import type * as z from "zod";
import type { QueryEnv } from "../env.ts";
import type { Principal } from "@tidemark/http/authenticate";
import type { Scope } from "@tidemark/http/keys";

/** A part of the API as an agent sees it. */
export interface Tool {
  readonly name: string;
  readonly title: string;
  /** For a reader who has never seen this system: what it answers, in what unit, and an example. */
  readonly description: string;
  /** The tool is shown to keys that have it. Whether a key may do what it asks, the API decides. */
  readonly scope: Exclude<Scope, "ingest">;
  readonly effect: keyof typeof EFFECTS;
  /** The arguments, besides those that are part of the path; `null` for none. */
  readonly input: z.ZodType | null;
  readonly answeredBy: Route | Answerer;
  /** How to ask for less. */
  readonly narrow: string;
}

/** A route of the API. Arguments that the path does not name are its query, or the body's fields. */
export interface Route {
  readonly method: "GET" | "POST" | "PATCH" | "DELETE";
  /** With arguments in braces. */
  readonly path: string;
  readonly inPath?: Readonly<Record<string, z.ZodType>>;
  /** A field of the body that makes it this tool. Who says otherwise is told which tool it is then. */
  readonly says?: { readonly field: string; readonly value: string; readonly otherwise: string };
  /** Whether it takes an `Idempotency-Key`. */
  readonly isIdempotent?: true;
}

/** What answers a tool that no route of this Worker does. */
export type Answerer = (env: QueryEnv, principal: Principal, input: Arguments) => Promise<Response>;

export type Arguments = Readonly<Record<string, unknown>>;

/** The argument that becomes the request's `Idempotency-Key`. */
export const IDEMPOTENCY_ARGUMENT = "idempotency_key";

/** What a tool does to the world, as the protocol's hints say it. Publishing is seen by people outside. */
export const EFFECTS = {
  reads: { readOnlyHint: true, destructiveHint: false, idempotentHint: true, openWorldHint: false },
  adds: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: false },
  publishes: { readOnlyHint: false, destructiveHint: false, idempotentHint: false, openWorldHint: true },
  changes: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
  deletes: { readOnlyHint: false, destructiveHint: true, idempotentHint: true, openWorldHint: false },
} as const;
