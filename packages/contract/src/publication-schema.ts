import { parseTimestamp } from "@tidemark/core/timestamp";
import * as z from "zod";
import { InstantSchema } from "./answer-schema.ts";
import { NAME_LENGTH_MAX } from "./limits.ts";
import { type QueryQuestion, QueryQuestionSchema } from "./query-schema.ts";
import { type ReportQuestion, ReportQuestionSchema } from "./report-schema.ts";
import { type ReportName, REPORTS } from "./reports.ts";
import { plainText } from "./text-schema.ts";

/** What a publication shows: a report with its parameters, or a question of `POST /v1/query`. */
export type PublicationQuestion = ReportQuestion | { readonly query: QueryQuestion };

const NAMES = Object.keys(REPORTS) as [ReportName, ...ReportName[]];

const OptionsSchema = z.strictObject({
  alias_customers: z
    .boolean()
    .default(false)
    .describe(
      "Shows customers under names that say nothing, such as “Customer K7Q2-M9XF”: the same ones for as long as the " +
        "publication lasts, and others in every other publication. What only one customer has, such as a product's " +
        "name, is left out; figures and labels stay as they are.",
    ),
  theme: z
    .enum(["light", "dark", "auto"], 'Must be "light", "dark" or "auto".')
    .default("auto")
    .describe("The page's colours where its address does not say; `auto` follows the reader's system."),
});
export type PublicationOptions = z.infer<typeof OptionsSchema>;

const TitleSchema = plainText(NAME_LENGTH_MAX).describe("The page's heading.");

const ExpirySchema = z
  .string()
  .refine((text) => !Number.isNaN(parseTimestamp(text)), "Must be RFC 3339 with an offset, or null.")
  .nullable()
  .describe("When the link stops; null for never.");

/**
 * The body of `POST /v1/publications`: a question, frozen. Nothing in the link's address can change it.
 * What comes out has the question in one piece.
 */
export const PublicationInputSchema = z
  .strictObject({
    report: z
      .enum(NAMES, `Must be one of ${NAMES.join(", ")}.`)
      .optional()
      .describe("What `GET /v1/reports` lists. Leave it out to publish a `query`."),
    params: z
      .record(z.string(), z.unknown())
      .optional()
      .describe("The report's parameters, as `GET /v1/reports/{report}` takes them."),
    query: QueryQuestionSchema.optional(),
    title: TitleSchema,
    expires_at: ExpirySchema.default(null),
    options: OptionsSchema.default({ alias_customers: false, theme: "auto" }),
  })
  .transform(({ report, params, query, ...rest }, context) => {
    const question = readQuestion({ report, params, query }, context);
    if (question === undefined) return z.NEVER;
    if ("query" in question) refuseQuery(question.query, rest.options, context);
    return { ...rest, question };
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

/** The body of `PATCH /v1/publications/{id}`. What a publication shows is never changed: publish another. */
export const PublicationChangeSchema = z
  .strictObject({ title: TitleSchema.optional(), expires_at: ExpirySchema.optional() })
  .meta({ id: "PublicationChange", example: { expires_at: "2027-01-01T00:00:00Z" } });

export const PublicationSchema = z
  .object({
    id: z.string(),
    report: z.enum(NAMES).optional().describe("With `params`, where a report is published."),
    params: z.record(z.string(), z.unknown()).optional(),
    query: QueryQuestionSchema.optional().describe("Where a query is published."),
    title: z.string(),
    options: OptionsSchema,
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

interface Asked {
  readonly report: ReportName | undefined;
  readonly params: Readonly<Record<string, unknown>> | undefined;
  readonly query: QueryQuestion | undefined;
}

/** One question of the two kinds; what is wrong is said at its place in the body. */
function readQuestion({ report, params, query }: Asked, context: z.RefinementCtx): PublicationQuestion | undefined {
  if (query !== undefined && report === undefined && params === undefined) return { query };
  if (query !== undefined || report === undefined) {
    const message = "Must be a `report` with its `params`, or a `query`.";
    context.addIssue({ code: "custom", path: [query === undefined ? "report" : "query"], message });
    return undefined;
  }
  const parsed = ReportQuestionSchema.safeParse({ report, params });
  if (parsed.success) return parsed.data;
  for (const issue of parsed.error.issues) context.issues.push({ ...issue, input: params } as z.core.$ZodRawIssue);
  return undefined;
}

/** What a query must not be once it is frozen, or shown without names. */
function refuseQuery({ range, order_by }: QueryQuestion, options: PublicationOptions, context: z.RefinementCtx): void {
  const refuse = (path: readonly (string | number)[], message: string): void =>
    context.addIssue({ code: "custom", path: ["query", ...path], message });
  if (range.from !== undefined && range.to === undefined)
    refuse(
      ["range", "to"],
      "Is required: a publication is frozen, and with every day its range would grow, until it is longer than a question may ask. For the latest days use `days`.",
    );
  if (!options.alias_customers) return;
  for (const [index, { by }] of order_by.entries())
    if (by === "customer")
      refuse(
        ["order_by", index, "by"],
        "Must not be customer with `alias_customers`: the order of their ids would tell who they are. Order by a measure.",
      );
}
