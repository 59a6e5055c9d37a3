import { createRoute } from "@hono/zod-openapi";
import { type Customers, CustomersQuerySchema, CustomersSchema } from "@tidemark/contract/customer-schema";
import { CUSTOMER_FILE_ROWS_MAX } from "@tidemark/contract/query-limits";
import { FormatSchema } from "@tidemark/contract/usage-schema";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { type Cell, fileAnswer, writeCsv, writeNdjson } from "../../files.ts";
import { chooseFormat } from "../../plumbing/choose-format.ts";
import { requires } from "../../plumbing/requires.ts";
import { failures, KEYED } from "../../plumbing/routes.ts";
import { answerCustomers } from "./answer-customers.ts";

const route = createRoute({
  method: "get",
  path: "/v1/customers",
  tags: ["Customers"],
  summary: "List customers",
  description:
    "A customer appears with its first event. `metrics` adds a column for each usage metric: what it came to in its " +
    "display interval, as the meters have sent it, and how that compares with the days before.\n\n" +
    `CSV and NDJSON hold up to ${CUSTOMER_FILE_ROWS_MAX} customers instead of a page, fewer with several metrics; where more follow, ` +
    'the `Link` header with `rel="next"` has them.',
  security: KEYED,
  middleware: requires("read"),
  request: { query: CustomersQuerySchema.extend({ format: FormatSchema }) },
  responses: {
    200: {
      description: "The customers; CSV and NDJSON carry `data` alone.",
      content: {
        "application/json": { schema: CustomersSchema },
        "text/csv": { schema: z.string() },
        "application/x-ndjson": { schema: z.string() },
      },
    },
    ...failures(),
  },
});

export function listCustomers(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { format, ...query } = context.req.valid("query");
    const chosen = chooseFormat(context, format);
    const { project_id } = context.get("principal");
    const customers = await answerCustomers(context.env.DB, project_id, query, chosen !== "json");
    switch (chosen) {
      case "csv":
        return linked(fileAnswer(toCsv(customers), "csv", "customers"), context.req.url, customers);
      case "ndjson":
        return linked(fileAnswer(writeNdjson(customers.data), "ndjson", "customers"), context.req.url, customers);
      case "json":
        return context.json(customers, 200, { vary: "accept" });
    }
  });
}

/** A file cannot carry its cursor: it says in its headers where it goes on. */
function linked(file: Response, url: string, { next_cursor }: Customers): Response {
  if (next_cursor === null) return file;
  const next = new URL(url);
  next.searchParams.set("cursor", next_cursor);
  file.headers.set("link", `<${next.pathname}${next.search}>; rel="next"`);
  return file;
}

const FIELDS = ["customer_id", "name", "plan", "time_zone", "first_seen_at"] as const;

function toCsv({ data, metrics }: Customers): string {
  const slugs = metrics?.map(({ metric }) => metric) ?? [];
  const seen = metrics === undefined ? [] : (["last_seen_at"] as const);
  const header = [...FIELDS, ...seen, ...slugs.flatMap((slug) => [slug, `${slug}.previous`, `${slug}.change`])];
  return writeCsv(
    header,
    data.map((customer) => [
      ...[...FIELDS, ...seen].map((field) => toText(customer[field])),
      ...slugs.flatMap((slug) => {
        const usage = customer.usage?.[slug];
        return [usage?.value, usage?.previous, usage?.change].map(toNumber);
      }),
    ]),
  );
}

function toText(text: string | null | undefined): Cell {
  return text === null || text === undefined ? null : { text };
}

function toNumber(number: string | null | undefined): Cell {
  return number === null || number === undefined ? null : { number };
}
