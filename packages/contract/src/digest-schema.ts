import * as z from "zod";
import { DateSchema, InstantSchema, QuantitySchema } from "./answer-schema.ts";
import { NAME_LENGTH_MAX } from "./limits.ts";
import { nameText } from "./text-schema.ts";

const fields = {
  name: nameText(NAME_LENGTH_MAX).describe("What people call it."),
  metric: z.string().min(1).max(NAME_LENGTH_MAX).describe("The metric's slug."),
  destination_id: z.string().min(1).max(NAME_LENGTH_MAX).describe("Where it is sent: a webhook or a Slack channel."),
  weekday: z.int().min(1).max(7).describe("1 is Monday, in the project's time zone."),
  hour: z.int().min(0).max(23).describe("Of the day, in the project's time zone."),
};

/** The body of `POST /v1/digests`. */
export const DigestInputSchema = z
  .strictObject({ ...fields, weekday: fields.weekday.default(1), hour: fields.hour.default(9) })
  .meta({
    id: "DigestInput",
    example: { name: "Monday morning", metric: "api_requests", destination_id: "dst_…", weekday: 1, hour: 9 },
  });
export type DigestInput = z.infer<typeof DigestInputSchema>;

/** The body of `PATCH /v1/digests/{id}`. */
export const DigestChangeSchema = z
  .strictObject(fields)
  .partial()
  .refine((change) => Object.keys(change).length > 0, "Must change something.")
  .meta({ id: "DigestChange", example: { weekday: 5, hour: 16 } });
export type DigestChange = z.infer<typeof DigestChangeSchema>;

/** A digest as it is answered. */
export const DigestSchema = z
  .object({
    id: z.string(),
    ...fields,
    next_at: InstantSchema.describe(
      "When the next one is due. Digests are made every five minutes, those that have waited longest first: where many " +
        "are due at the same hour, some come later.",
    ),
    last_error: z
      .string()
      .nullable()
      .describe("Why the last one was not made, or is late; null once one is made or the metric is changed."),
    created_at: InstantSchema,
    updated_at: InstantSchema,
  })
  .meta({ id: "Digest" });
export type DigestAnswer = z.infer<typeof DigestSchema>;

const customer = { customer_id: z.string(), name: z.string().nullable() };

/** A list of a digest: its first rows, and how many customers there are in all. */
function listOf<Row extends z.ZodType>(row: Row, description: string) {
  return z.object({ count: z.int().describe("Customers."), rows: z.array(row).describe(description) });
}

const Compared = z.object({
  ...customer,
  value: QuantitySchema.nullable(),
  previous: QuantitySchema,
  change: z.string().describe("0.1 is ten per cent more."),
});

/** What a digest says: a metric's week, frozen when it was due. */
export const DigestBodySchema = z
  .object({
    digest_id: z.string(),
    digest: z.string().describe("What people call the digest."),
    metric: z.string().describe("The metric's slug."),
    name: z.string().describe("The metric's name."),
    unit: z.string(),
    period: z.object({ from: DateSchema, to: DateSchema.describe("Included.") }),
    time_zone: z.string(),
    as_of: InstantSchema,
    approximate: z.boolean().describe("Whether any figure is an estimate."),
    total: z.object({
      value: QuantitySchema.nullable(),
      previous: QuantitySchema.nullable().describe("In the week before."),
      change: z.string().nullable().describe("0.1 is ten per cent more; null where there was nothing before."),
    }),
    grew: listOf(Compared, "Who used more than 30% more than in the week before, the most first."),
    dropped: listOf(Compared, "Who used less than half of the week before, the most first."),
    went_quiet: listOf(
      z.object({ ...customer, value: QuantitySchema, last_seen_at: InstantSchema, silent_days: z.int() }),
      "Who has been silent for 7 days or more after using something in the week before; `value` is what they used in both.",
    ),
    near_limits: listOf(
      z.object({
        ...customer,
        label: z.string().nullable(),
        value: QuantitySchema.describe("Used in the cycle."),
        allowance: QuantitySchema,
        share: z.string().nullable().describe("Of the allowance; 0.8 is 80 per cent."),
      }),
      "Who has used 80% or more of what the cycle gives them, the fullest first: a row for each such allowance or " +
        "subscription, of which a customer can have several.",
    ).extend({
      unanswered: z.int().describe("Customers whose meter did not answer: whether they are near a limit nobody knows."),
      more: z
        .boolean()
        .describe("Whether there were more customers to ask than a digest asks: those who came near a limit last."),
    }),
  })
  .meta({ id: "DigestBody" });
export type DigestBody = z.infer<typeof DigestBodySchema>;
