import * as z from "zod";
import { CustomerIdSchema, InstantSchema } from "./answer-schema.ts";
import { TimeZoneSchema } from "./customer-schema.ts";
import { FilterTreeSchema } from "./filter-schema.ts";
import { MATCHERS_MAX, NAME_LENGTH_MAX, RANGE_DAYS_MAX } from "./limits.ts";
import { PropertyPathSchema } from "./property-path-schema.ts";
import {
  ARCHIVE_MEASURES_MAX,
  ARCHIVE_PROPERTIES_MAX,
  ARCHIVE_ROWS_MAX,
  LABEL_FILTERS_MAX,
  QUERY_CUSTOMERS_MAX,
  QUERY_GROUPS_MAX,
  QUERY_LIMIT_DEFAULT,
  QUERY_LIMIT_MAX,
  QUERY_ORDERS_MAX,
  QUERY_VALUES_MAX,
} from "./query-limits.ts";
import { ARCHIVE_GROUPS, archiveMeasureName, GROUPS, LABEL_PREFIX, MEASURES, PROPERTY_PREFIX } from "./query-words.ts";
import { plainText } from "./text-schema.ts";

const NameSchema = z
  .string()
  .min(1)
  .max(NAME_LENGTH_MAX * 2);

/** A list in which nothing stands twice. */
function distinct<Item extends z.ZodType>(item: Item, max: number) {
  return z
    .array(item)
    .max(max)
    .refine((items) => new Set(items).size === items.length, "Must name each once.");
}

const RangeSchema = z
  .strictObject({
    days: z.int().min(1).max(RANGE_DAYS_MAX).optional().describe("The last days, today included."),
    from: z.string().optional().describe("RFC 3339 or YYYY-MM-DD."),
    to: z.string().optional().describe("RFC 3339 or YYYY-MM-DD, exclusive; the end of today when absent."),
  })
  .refine(
    ({ days, from, to }) => (days === undefined) !== (from === undefined) && (days === undefined || to === undefined),
    "Must be {days}, or {from} with an optional {to}.",
  )
  .default({ days: 30 })
  .describe(`Which days: at most ${RANGE_DAYS_MAX}.`);
export type QueryRange = z.infer<typeof RangeSchema>;

const CustomersSchema = distinct(CustomerIdSchema, QUERY_CUSTOMERS_MAX)
  .min(1)
  .optional()
  .describe("Only these customers.");

const FilterSchema = z
  .strictObject({
    customers: CustomersSchema,
    labels: z
      .record(NameSchema, distinct(z.string(), QUERY_VALUES_MAX).min(1))
      .refine(
        (labels) => Object.keys(labels).length <= LABEL_FILTERS_MAX,
        `Must have conditions on at most ${LABEL_FILTERS_MAX} labels.`,
      )
      .optional()
      .describe("Only events whose labels have one of these values."),
    segment: z.string().min(1).optional().describe("Only events in this segment of the metric, by its name."),
  })
  .default({});

const OrderSchema = z.strictObject({
  by: NameSchema.describe("A column: a group, a measure, or `previous_` or `change_` and a measure."),
  direction: z.enum(["asc", "desc"], 'Must be "asc" or "desc".').default("desc"),
});

const tz = TimeZoneSchema.optional().describe(
  "In whose days usage is cut. When absent the project's, or UTC where that is not a whole number of hours away.",
);

/** A question over the days that are kept of each customer: the body of `POST /v1/query`. */
export const QueryQuestionSchema = z
  .strictObject({
    source: z.literal("usage").optional(),
    metric: z.string().min(1).describe("The metric's slug."),
    measures: distinct(z.enum(MEASURES, `Must be one of ${MEASURES.join(", ")}.`), MEASURES.length)
      .min(1)
      .default(["value"])
      .describe(
        "`value` is the metric itself. `active_days` are days with a counted event, `customers` those who have one. " +
          "`events` and `rejected` are kept by the UTC day.",
      ),
    group_by: distinct(NameSchema, QUERY_GROUPS_MAX)
      .default([])
      .describe(
        `At most ${QUERY_GROUPS_MAX} of ${GROUPS.join(", ")}, and the metric's labels. A label with one of these ` +
          `names, or that of another column (\`value\`, \`previous_value\`, \`change_value\` and the like), is ` +
          `${LABEL_PREFIX}name. An event in several segments counts in each.`,
      ),
    range: RangeSchema,
    tz,
    filter: FilterSchema,
    compare: z
      .enum(["previous_period"], 'Must be "previous_period" or null.')
      .nullable()
      .default(null)
      .describe(
        "Adds what each measure was over as many days before, and its change. While the last day is not over, " +
          "the change leaves it out on both sides.",
      ),
    order_by: z
      .array(OrderSchema)
      .max(QUERY_ORDERS_MAX)
      .default([])
      .describe(
        "When empty: by time where time is grouped by, otherwise by the first measure, the largest first. " +
          "What is null comes last, and equals are in the order of their groups.",
      ),
    limit: z.int().min(1).max(QUERY_LIMIT_MAX).default(QUERY_LIMIT_DEFAULT).describe("Rows of the answer."),
  })
  .meta({
    id: "QueryQuestion",
    example: {
      metric: "api_requests",
      measures: ["value", "active_days"],
      group_by: ["customer"],
      range: { days: 7 },
      compare: "previous_period",
      order_by: [{ by: "change_value", direction: "asc" }],
      limit: 20,
    },
  });
/** The question as it is asked in full, with its defaults. */
export type QueryQuestion = z.infer<typeof QueryQuestionSchema>;

const COLUMN_KINDS = ["customer", "text", "quantity", "count", "instant", "change"] as const;

const ColumnSchema = z.object({
  name: z.string().describe("What `order_by` calls it, and CSV, where a customer is `customer_id` and `name`."),
  in: z.enum(["group", "values", "previous", "change"]).describe("In which part of a row it stands."),
  key: z.string().describe("Under what it stands there."),
  kind: z.enum(COLUMN_KINDS),
});
export type QueryColumn = z.infer<typeof ColumnSchema>;

const ValuesSchema = z.record(z.string(), z.union([z.string(), z.int(), z.null()]));

const QueryRowSchema = z.object({
  group: z
    .record(z.string(), z.string())
    .describe("Days are YYYY-MM-DD, weeks their Monday, months YYYY-MM, hours RFC 3339; day 1 of a week is Monday."),
  name: z.string().nullable().optional().describe("The customer's name, when grouped by customer."),
  values: ValuesSchema.describe("`value` is an exact decimal as text, null where there is nothing to measure."),
  previous: ValuesSchema.optional(),
  change: z
    .record(z.string(), z.string().nullable())
    .optional()
    .describe("0.1 is ten per cent more; null where there was nothing before."),
});
export type QueryRow = z.infer<typeof QueryRowSchema>;

const ConditionsSchema = z.object({
  customers: z.int().nullable().describe("How many were named; null for all."),
  labels: z.record(z.string(), z.array(z.string())),
  segment: z.string().nullable(),
});

export const QueryAnswerSchema = z
  .object({
    metric: z.string(),
    name: z.string().describe("The metric's name."),
    unit: z.string(),
    time_zone: z.string(),
    from: InstantSchema.describe("As it was used: usage is kept by the hour, so part of an hour is taken whole."),
    to: InstantSchema.describe("Exclusive."),
    previous_from: InstantSchema.nullable().describe("Where the period before begins; it ends at `from`."),
    conditions: ConditionsSchema.describe("Under which conditions, as `filter` has them; of customers only how many."),
    incomplete_from: InstantSchema.nullable().describe("Where the day begins that is not over; null without one."),
    as_of: InstantSchema.describe("When the figures were read; meters may know what they have not sent yet."),
    approximate: z.boolean().describe("Whether any value is an estimate, as distinct counts of many ids are."),
    overflow: z.boolean().describe("Whether a customer's day is beyond 64 bits, and left out."),
    rows_read: z.int().describe("Days of customers that were looked at; one that is compared counts each time."),
    total_rows: z.int(),
    truncated: z.boolean().describe("Whether `limit` left rows out; `total_rows` says how many there are."),
    columns: z.array(ColumnSchema),
    data: z.array(QueryRowSchema),
  })
  .meta({ id: "QueryAnswer" });
export type QueryAnswer = z.infer<typeof QueryAnswerSchema>;

const ArchiveMeasureSchema = z
  .strictObject({
    of: z.enum(["count", "sum", "min", "max", "unique"], "Must be count, sum, min, max or unique."),
    property: PropertyPathSchema.optional().describe("A number; for `unique` a text, number, true or false."),
  })
  .superRefine(({ of, property }, context) => {
    if (of === "count" && property !== undefined)
      context.addIssue({ code: "custom", path: ["property"], message: "`count` takes no property; leave it out." });
    if (of !== "count" && property === undefined)
      context.addIssue({ code: "custom", path: ["property"], message: `\`${of}\` needs a property.` });
  });
export type ArchiveMeasure = z.infer<typeof ArchiveMeasureSchema>;

/** A question over the archive of raw events, which a job answers: the other body of `POST /v1/query`. */
export const ArchiveQuestionSchema = z
  .strictObject({
    source: z.literal("archive"),
    event_matchers: z
      .array(z.strictObject({ event: plainText(NAME_LENGTH_MAX) }))
      .max(MATCHERS_MAX)
      .default([])
      .describe("Only events with one of these names; every event when empty."),
    filters: FilterTreeSchema.nullable()
      .default(null)
      .meta({
        type: ["object", "null"],
        description: "A FilterTree: what must hold of an event.",
      }),
    customers: CustomersSchema,
    measures: z
      .array(ArchiveMeasureSchema)
      .min(1)
      .max(ARCHIVE_MEASURES_MAX)
      .default([{ of: "count" }])
      .refine(
        (measures) => new Set(measures.map(archiveMeasureName)).size === measures.length,
        "Must name each measure once.",
      ),
    group_by: distinct(NameSchema, QUERY_GROUPS_MAX)
      .default([])
      .describe(
        `At most ${QUERY_GROUPS_MAX} of ${ARCHIVE_GROUPS.join(", ")}, and up to ${ARCHIVE_PROPERTIES_MAX} properties; a property with one of these ` +
          `names is written ${PROPERTY_PREFIX}name.`,
      ),
    range: RangeSchema,
    tz: TimeZoneSchema.optional().describe("In whose days events are grouped; the project's when absent."),
    limit: z.int().min(1).max(ARCHIVE_ROWS_MAX).default(ARCHIVE_ROWS_MAX).describe("Rows of the result."),
  })
  .meta({
    id: "ArchiveQuestion",
    example: {
      source: "archive",
      event_matchers: [{ event: "api_request" }],
      filters: { and: [{ property: "status", op: "gte", value: 500 }] },
      measures: [{ of: "count" }, { of: "max", property: "latency_ms" }],
      group_by: ["endpoint"],
      range: { days: 7 },
    },
  });
export type ArchiveQuestion = z.infer<typeof ArchiveQuestionSchema>;

/** The body of `POST /v1/query`. */
export const QuerySchema = z
  .discriminatedUnion("source", [QueryQuestionSchema, ArchiveQuestionSchema], 'Must be "usage" or "archive".')
  .meta({ id: "Query" });

/** What a question over the archive came to. */
export const ArchiveResultSchema = z
  .object({
    matched: z
      .int()
      .describe(
        "Events of the range that matched, each id of a customer once. Of events with one id and other content the " +
          "first that matches counts, so that what several questions count can be more than the whole.",
      ),
    repeated: z.int().describe("Copies of events that had been read, which did not count again."),
    total_rows: z.int(),
    truncated: z.boolean().describe("Whether rows were left out, the smallest by the first measure."),
    data: z
      .array(
        z.object({
          group: z.record(z.string(), z.string()),
          values: z
            .record(z.string(), z.string().nullable())
            .describe("Exact decimals; null where there is nothing to measure."),
          rejected: z
            .record(z.string(), z.int())
            .optional()
            .describe("By measure, events whose property is missing or cannot be read exactly."),
        }),
      )
      .describe("By the first measure, the largest first."),
  })
  .meta({ id: "ArchiveResult" });
export type ArchiveResult = z.infer<typeof ArchiveResultSchema>;
