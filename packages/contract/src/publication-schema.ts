import { parseTimestamp } from "@tidemark/core/timestamp";
import * as z from "zod";
import { InstantSchema } from "./answer-schema.ts";
import { NAME_LENGTH_MAX } from "./limits.ts";
import { plainText } from "./text-schema.ts";
import { TopCustomersParamsSchema } from "./report-schema.ts";

/** The body of `POST /v1/publications`: a report, frozen. */
export const PublicationInputSchema = z
  .strictObject({
    report: z.literal("top-customers", 'Must be "top-customers".'),
    params: TopCustomersParamsSchema,
    title: plainText(NAME_LENGTH_MAX).describe("The page's heading."),
    expires_at: z
      .string()
      .refine((text) => !Number.isNaN(parseTimestamp(text)), "Must be RFC 3339 with an offset, or null.")
      .nullable()
      .default(null)
      .describe("When the link stops; null for never."),
  })
  .meta({
    id: "PublicationInput",
    example: {
      report: "top-customers",
      params: { metric: "api_requests", days: 30, limit: 20 },
      title: "Top 20 API customers",
      expires_at: null,
    },
  });

export const PublicationSchema = z
  .object({
    id: z.string(),
    report: z.literal("top-customers"),
    params: TopCustomersParamsSchema,
    title: z.string(),
    created_at: InstantSchema,
    rotated_at: InstantSchema.nullable(),
    expires_at: InstantSchema.nullable(),
    revoked_at: InstantSchema.nullable(),
  })
  .meta({ id: "Publication" });
export type Publication = z.infer<typeof PublicationSchema>;

/** A publication with the link, which only the answers that make a key have. */
export const PublishedSchema = PublicationSchema.extend({
  public_url: z.url().describe("Opens without a login. Shown once: only a hash of its key is kept."),
}).meta({ id: "Published" });
