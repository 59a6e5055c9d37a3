import * as z from "zod";
import { InstantSchema, QuantitySchema } from "./answer-schema.ts";
import { NewCustomerIdSchema } from "./customer-schema.ts";
import { NAME_LENGTH_MAX } from "./limits.ts";
import { QuantityInputSchema } from "./terms-schema.ts";
import { nameText } from "./text-schema.ts";

/** A line beyond this is never meant. */
const PERCENT_MAX = 10_000;

const fields = {
  name: nameText(NAME_LENGTH_MAX).nullable().describe("What people call it."),
  operator: z.enum([">=", "<="]).describe("On which side of the line usage has to come."),
  value: QuantityInputSchema.describe("The line, in the metric's unit. Either this or `percent`."),
  percent: z
    .int()
    .min(0)
    .max(PERCENT_MAX)
    .describe("The line, in per cent of what the cycle has: its base, and what was carried or granted."),
  segment: nameText(NAME_LENGTH_MAX)
    .nullable()
    .describe("Only what is in this segment of the metric, by its name; null: everything."),
  repeat: z
    .enum(["per_cycle", "per_crossing"])
    .describe(
      "`per_cycle`: told once in a cycle. `per_crossing`: each time, once usage has come back behind the line.",
    ),
  hysteresis: QuantityInputSchema.describe(
    "How far behind the line usage has to come for `per_crossing`: in the metric's unit, or for `percent` in points.",
  ),
};

/** The body of `POST /v1/thresholds`. */
export const ThresholdInputSchema = z
  .strictObject({
    metric: z.string().min(1).max(NAME_LENGTH_MAX).describe("The metric's slug."),
    name: fields.name.default(null),
    operator: fields.operator.default(">="),
    value: fields.value.optional(),
    percent: fields.percent.optional(),
    segment: fields.segment.default(null),
    repeat: fields.repeat.default("per_cycle"),
    hysteresis: fields.hysteresis.default(0),
    customer_id: NewCustomerIdSchema.nullable()
      .default(null)
      .describe("Only of this customer; null: of every customer."),
  })
  .superRefine(({ value, percent }, context) => {
    if ((value === undefined) === (percent === undefined))
      context.addIssue({ code: "custom", path: ["value"], message: "Send either `value` or `percent`." });
  })
  .meta({ id: "ThresholdInput", example: { metric: "api_requests", percent: 80, name: "Nearly used up" } });
export type ThresholdInput = z.infer<typeof ThresholdInputSchema>;

/** The body of `PATCH /v1/thresholds/{id}`. */
export const ThresholdChangeSchema = z
  .strictObject(fields)
  .partial()
  .superRefine((change, context) => {
    if (Object.keys(change).length === 0)
      context.addIssue({ code: "custom", path: [], message: "Must change something." });
    if (change.value !== undefined && change.percent !== undefined)
      context.addIssue({ code: "custom", path: ["value"], message: "Send either `value` or `percent`." });
  })
  .meta({ id: "ThresholdChange", example: { percent: 90 } });
export type ThresholdChange = z.infer<typeof ThresholdChangeSchema>;

export const ThresholdSchema = z
  .object({
    id: z.string(),
    version: z.int().describe("Counts the changes: each can be crossed once more in a cycle."),
    metric: z.string(),
    name: fields.name,
    operator: fields.operator,
    value: QuantitySchema.nullable().describe("null where the line is in per cent."),
    percent: fields.percent.nullable(),
    segment: fields.segment,
    repeat: fields.repeat,
    hysteresis: QuantitySchema,
    customer_id: z.string().nullable(),
    created_at: InstantSchema,
    updated_at: InstantSchema,
  })
  .meta({ id: "Threshold" });
export type ThresholdAnswer = z.infer<typeof ThresholdSchema>;
