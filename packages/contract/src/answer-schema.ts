import * as z from "zod";
import { NAME_LENGTH_MAX, PAGE_LIMIT_MAX } from "./limits.ts";
import { CURSOR_LENGTH_MAX, PAGE_LIMIT_DEFAULT } from "./query-limits.ts";

/** Schemas that more than one answer or request uses. */

export const QuantitySchema = z
  .string()
  .meta({ id: "Quantity", description: "An exact decimal, as text so that no digit is lost.", example: "1234.5" });

export const InstantSchema = z
  .string()
  .meta({ id: "Instant", description: "RFC 3339, in UTC.", format: "date-time", example: "2026-11-01T00:00:00Z" });

export const DateSchema = z
  .string()
  .meta({ id: "Date", description: "A calendar day.", format: "date", example: "2026-11-01" });

/** An id of a customer as a request names it: whatever no customer can have is simply not found. */
export const CustomerIdSchema = z.string().min(1).max(NAME_LENGTH_MAX).describe("Your id of the customer.");

/** A whole number in a query, where every value is text. */
export function wholeNumber(min: number, max: number) {
  return z.coerce.number("Must be a whole number.").int("Must be a whole number.").min(min).max(max);
}

export const CursorSchema = z
  .string()
  .min(1)
  .max(CURSOR_LENGTH_MAX)
  .optional()
  .describe("The `next_cursor` of the page before.");

/** The query of a route that takes none. */
export const NoQuerySchema = z.strictObject({});

/** The query of a list. */
export const PageQuerySchema = z.strictObject({
  limit: wholeNumber(1, PAGE_LIMIT_MAX).default(PAGE_LIMIT_DEFAULT).describe("Rows of the page."),
  cursor: CursorSchema,
});

/** The answer of a list. */
export function pageOf<Item extends z.ZodType>(item: Item) {
  return z.object({
    data: z.array(item),
    next_cursor: z.string().nullable().describe("What to pass as `cursor` for the next page; null on the last one."),
  });
}

/** An error's body. */
export const ProblemSchema = z
  .object({
    type: z.url().describe("The page that explains the code."),
    title: z.string(),
    status: z.int(),
    detail: z.string().describe("What is wrong with this request, and what to do."),
    code: z.string().describe("What programs go by; every code is at `/docs/errors`."),
    request_id: z.string(),
    errors: z
      .array(
        z.object({
          pointer: z.string().describe("Where: a JSON Pointer into the body, or `/` and the name of a parameter."),
          code: z.string(),
          detail: z.string(),
        }),
      )
      .optional(),
  })
  .meta({ id: "Problem", description: "RFC 9457." });
