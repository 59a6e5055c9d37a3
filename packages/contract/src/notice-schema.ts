import * as z from "zod";
import { InstantSchema, QuantitySchema } from "./answer-schema.ts";
import { CycleSchema } from "./balance-schema.ts";
import { DigestBodySchema } from "./digest-schema.ts";

const fields = {
  id: z.string().describe("Of what it tells: the same is told once."),
  at: InstantSchema,
};

const NamedDestinationSchema = z.object({ id: z.string(), name: z.string().describe("As it was called then.") });

/** What people should hear of. */
export const NoticeSchema = z
  .discriminatedUnion("kind", [
    z.object({
      ...fields,
      kind: z.literal("threshold_crossed"),
      customer_id: z.string(),
      metric: z.string(),
      segment: z.string().nullable().describe("Of whose usage; null: all of it."),
      label: z.string().nullable().describe("Of an allowance `per` label: whose; null: all labels together."),
      threshold_id: z.string(),
      name: z.string().nullable(),
      operator: z.enum([">=", "<="]),
      line: z.string().describe("The line as it was then: a quantity, or per cent with the sign."),
      value: QuantitySchema.describe("What was used when it was crossed."),
      previous_value: QuantitySchema.nullable().describe("What was used before."),
      allowance: QuantitySchema.nullable().describe("What the cycle had: its base, and what was carried or granted."),
      cycle: CycleSchema,
    }),
    z.object({
      ...fields,
      kind: z.literal("digest"),
      metric: z.string(),
      digest: DigestBodySchema,
    }),
    z.object({ ...fields, kind: z.literal("webhook_test"), destination: NamedDestinationSchema }),
    z.object({
      ...fields,
      kind: z.literal("destination_disabled"),
      destination: NamedDestinationSchema,
      reason: z.enum(["gone", "failing"]),
      failing_since: InstantSchema,
    }),
  ])
  .meta({ id: "Notice" });
export type NoticeAnswer = z.infer<typeof NoticeSchema>;
