import * as z from "zod";
import { InstantSchema } from "./answer-schema.ts";
import { NAME_LENGTH_MAX } from "./limits.ts";
import { plainText } from "./text-schema.ts";

const SCOPES = ["ingest", "read", "admin"] as const;

/** The body of `POST /v1/keys`. */
export const KeyInputSchema = z
  .strictObject({
    name: plainText(NAME_LENGTH_MAX).describe("Where the key is used, so that people know what a revocation stops."),
    scopes: z
      .array(z.enum(SCOPES, "Must be ingest, read or admin."))
      .min(1)
      .max(SCOPES.length)
      .refine((scopes) => new Set(scopes).size === scopes.length, "Names a scope twice.")
      .describe("`ingest` sends events, `read` reads, `admin` may do everything."),
  })
  .meta({ id: "KeyInput", example: { name: "gateway", scopes: ["ingest"] } });

export const KeySchema = z
  .object({
    id: z.string(),
    name: z.string(),
    scopes: z.array(z.enum(SCOPES)),
    created_at: InstantSchema,
    revoked_at: InstantSchema.nullable(),
  })
  .meta({ id: "Key" });
export type Key = z.infer<typeof KeySchema>;

/** A key with its secret, which only the answer that makes it has. */
export const NewKeySchema = KeySchema.extend({
  key: z.string().describe("Shown once: only a hash of it is kept."),
}).meta({ id: "NewKey" });
