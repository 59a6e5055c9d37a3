import * as z from "zod";
import { InstantSchema, PageQuerySchema } from "./answer-schema.ts";
import { NoticeKindSchema } from "./destination-schema.ts";
import { NAME_LENGTH_MAX } from "./limits.ts";

const StateSchema = z
  .enum(["waiting", "delivered", "failed"])
  .describe("`waiting`: for its next attempt. `failed`: no attempt is left, or the destination is disabled.");

export const DeliverySchema = z
  .object({
    id: z.string(),
    destination_id: z.string(),
    notice_id: z.string(),
    kind: NoticeKindSchema,
    state: StateSchema,
    attempts: z.int().describe("Attempts made, of at most ten, since it was made or sent again."),
    next_attempt_at: InstantSchema.nullable().describe(
      "Later while the destination does not answer; null when it is over.",
    ),
    last_attempt: z
      .object({
        at: InstantSchema,
        status: z.int().nullable().describe("What the receiver answered; null: nothing."),
        latency_ms: z.int().nullable(),
      })
      .nullable(),
    error: z
      .string()
      .nullable()
      .describe(
        "`status`: not 2xx. `redirect`: 3xx, which is not followed. `gone`: 410. `timeout`, `unreachable`: no answer. " +
          "`refused_address`: it is none that notices go to. `unreadable_address`: it was sealed under another pepper. " +
          "`too_large`: the body. `disabled`: the destination is, or it is deleted.",
      ),
    created_at: InstantSchema,
    ended_at: InstantSchema.nullable(),
  })
  .meta({ id: "Delivery" });
export type Delivery = z.infer<typeof DeliverySchema>;

/** One delivery, with what is posted. */
export const DeliveryDetailSchema = DeliverySchema.extend({
  event: z
    .object({ type: z.string(), timestamp: InstantSchema, data: z.record(z.string(), z.unknown()) })
    .describe("The body of a webhook; Slack gets the same as a message."),
}).meta({ id: "DeliveryDetail" });

/** The query of `GET /v1/deliveries`. */
export const DeliveriesQuerySchema = PageQuerySchema.extend({
  destination_id: z.string().min(1).max(NAME_LENGTH_MAX).optional().describe("Only to this destination."),
  state: StateSchema.optional().describe("Only those in this state."),
});
