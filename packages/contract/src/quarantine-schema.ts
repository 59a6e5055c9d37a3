import * as z from "zod";
import { CursorSchema, InstantSchema, wholeNumber } from "./answer-schema.ts";
import { PAGE_LIMIT_DEFAULT, QUARANTINE_PAGE_MAX } from "./query-limits.ts";

/** The query of `GET /v1/quarantine`. */
export const QuarantineQuerySchema = z.strictObject({
  limit: wholeNumber(1, QUARANTINE_PAGE_MAX).default(PAGE_LIMIT_DEFAULT).describe("Entries of the page."),
  cursor: CursorSchema,
});

export const QuarantineEntrySchema = z
  .object({
    id: z.string(),
    reason: z
      .string()
      .describe(
        "`conflict`: the id was counted with other content. `forgotten`: the event is older than the meter remembers. " +
          "`dead_letter`: processing failed again and again. `unreadable`: not one of our messages.",
      ),
    detail: z.string(),
    customer_id: z.string().nullable(),
    at: InstantSchema,
    replayed_at: InstantSchema.nullable(),
    events: z.array(z.unknown()).describe("The events that are held back."),
    body: z.string().nullable().describe("What arrived, when it holds no events that can be read."),
  })
  .meta({ id: "QuarantineEntry" });
export type QuarantineAnswer = z.infer<typeof QuarantineEntrySchema>;

export const ReplayedSchema = z.object({ id: z.string(), replayed_at: InstantSchema }).meta({ id: "Replayed" });
