import * as z from "zod";
import { CustomerIdSchema, DateSchema, InstantSchema } from "./answer-schema.ts";
import { ArchiveQuestionSchema, ArchiveResultSchema } from "./query-schema.ts";

/** A point of time or a whole day; jobs count whole UTC days. */
const TimeSchema = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()], "Must be RFC 3339 or YYYY-MM-DD.")
  .describe("RFC 3339 or YYYY-MM-DD. Whole UTC days are counted: the day that contains it is included.");

/** The body of `POST /v1/metrics/{slug}/backfill`. */
export const BackfillInputSchema = z
  .strictObject({
    from: TimeSchema,
    to: TimeSchema.optional().describe("Exclusive; until now when absent."),
    effective_from: TimeSchema.optional().describe(
      "From when on limits and charges follow what is counted now; as before when absent. Charts show all of it.",
    ),
  })
  .meta({ id: "BackfillInput", example: { from: "2026-10-01" } });
export type BackfillInput = z.infer<typeof BackfillInputSchema>;

/** The body of `POST /v1/jobs`. */
export const JobInputSchema = z
  .strictObject({
    kind: z
      .enum(["rebuild", "verify"], "Must be rebuild or verify; a backfill begins at its metric.")
      .describe("`rebuild` counts everything anew from the archive; `verify` compares and changes nothing."),
    customer_id: CustomerIdSchema.optional().describe("Only this customer; all when absent."),
    from: TimeSchema.optional().describe("From the beginning when absent."),
    to: TimeSchema.optional().describe("Exclusive; until now when absent."),
  })
  .meta({ id: "JobInput", example: { kind: "verify" } });

export const JobSchema = z
  .object({
    id: z.string(),
    kind: z.enum(["backfill", "rebuild", "verify", "query"]),
    state: z.enum(["waiting", "running", "done", "failed"]),
    metric: z.string().nullable().describe("The slug of the metric of a backfill."),
    version: z.int().nullable(),
    customer_id: z.string().nullable(),
    from: DateSchema.nullable().describe("The first UTC day; null for the beginning."),
    to: DateSchema.describe("The last UTC day."),
    phase: z.enum(["counting", "comparing", "closing"]),
    objects: z.int().describe("Archive objects read, of `objects_total` that there were when it began."),
    objects_total: z.int(),
    events: z.int().describe("Events read that lie in its range."),
    uncounted: z.int().describe("Of them, those that no meter has counted: on their way, or in quarantine."),
    customers: z.int().describe("Customers whose meters have been compared."),
    days: z.int().describe("Days of metrics that have been compared."),
    pending: z.int().describe("Days that meters are about to send to the database."),
    difference_count: z.int().describe("For a backfill or a rebuild, the days that it changes."),
    differences: z
      .array(
        z.object({
          customer_id: z.string().nullable(),
          metric_id: z.string().nullable(),
          day: DateSchema.nullable(),
          with: z.enum(["archive", "database"]).describe("What does not agree with the meter."),
          detail: z.string(),
        }),
      )
      .describe("The first of them; none for a backfill."),
    error: z.string().nullable().describe("Why the last attempt failed; it is tried again unless the job has failed."),
    query: ArchiveQuestionSchema.nullable().describe("What a query asks of the archive."),
    result: ArchiveResultSchema.nullable().describe(
      "Of a query that is done; a list of jobs leaves it out. Its events are those received until `created_at`.",
    ),
    created_at: InstantSchema,
    updated_at: InstantSchema,
    finished_at: InstantSchema.nullable(),
  })
  .meta({ id: "Job" });
export type JobAnswer = z.infer<typeof JobSchema>;
