import * as z from "zod";
import { InstantSchema } from "./answer-schema.ts";
import { NAME_LENGTH_MAX } from "./limits.ts";
import { SlugSchema } from "./metric-schema.ts";
import { nameText, optionalText } from "./text-schema.ts";

const fields = {
  name: nameText(NAME_LENGTH_MAX).describe("What people call it."),
  description: optionalText(1000),
  kind: z
    .enum(["fee", "seat", "connected_seat", "usage", "credit"])
    .describe(
      "`fee` and `seat` have no metric; a `seat` that is given one is a `connected_seat`, which counts; `usage` and `credit` need a metric that counts or sums.",
    ),
  metric: z.string().min(1).max(NAME_LENGTH_MAX).nullable().describe("The slug of the metric that it is linked to."),
  prices: z.array(z.unknown()).refine(({ length }) => length === 0, "Must be empty: prices come with quotas."),
};

/** The body of `POST /v1/products`. */
export const ProductInputSchema = z
  .strictObject({
    ...fields,
    slug: SlugSchema.optional().describe("Made from the name when absent; unique in the project."),
    description: fields.description.default(""),
    metric: fields.metric.default(null),
    prices: fields.prices.default([]),
  })
  .meta({ id: "ProductInput", example: { name: "API usage", kind: "usage", metric: "api_requests" } });
export type ProductInput = z.infer<typeof ProductInputSchema>;

/** The body of `PATCH /v1/products/{slug}`. */
export const ProductChangeSchema = z
  .strictObject({ ...fields, slug: SlugSchema, description: fields.description.nullable() })
  .partial()
  .refine((change) => Object.keys(change).length > 0, "Must change something.")
  .meta({ id: "ProductChange", example: { metric: "api_requests" } });
export type ProductChange = z.infer<typeof ProductChangeSchema>;

/** A product as it is answered. */
export const ProductSchema = z
  .object({ id: z.string(), slug: z.string(), ...fields, created_at: InstantSchema, updated_at: InstantSchema })
  .meta({ id: "Product" });
export type Product = z.infer<typeof ProductSchema>;
