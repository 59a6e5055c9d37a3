import { toInstant } from "@tidemark/core/timestamp";
import * as z from "zod";
import {
  ID_LENGTH_MAX,
  NAME_LENGTH_MAX,
  PROPERTY_DEPTH_MAX,
  PROPERTY_KEY_LENGTH_MAX,
  PROPERTY_NODES_MAX,
} from "./limits.ts";

/** Control characters, direction overrides and halves of surrogate pairs, which make two ids look like one. */
const UNPRINTABLE = /[\p{Cc}\u202a-\u202e\u2066-\u2069]|\p{Cs}/u;

const label = (max: number) =>
  z
    .string()
    .min(1)
    .max(max)
    .refine((text) => !UNPRINTABLE.test(text), "has a control character or half a surrogate pair")
    .refine((text) => text === text.trim(), "begins or ends with white space");

/** How many values a JSON value holds, and how deep they lie. */
function measure(
  value: unknown,
  depth: number,
): { nodes: number; depth: number; wellFormed: boolean; longKey: boolean } {
  if (typeof value === "string") return { nodes: 1, depth, wellFormed: value.isWellFormed(), longKey: false };
  if (typeof value !== "object" || value === null) return { nodes: 1, depth, wellFormed: true, longKey: false };
  const total = { nodes: 1, depth: depth + 1, wellFormed: true, longKey: false };
  for (const [key, child] of Object.entries(value)) {
    const inner = measure(child, depth + 1);
    total.nodes += inner.nodes;
    total.depth = Math.max(total.depth, inner.depth);
    total.wellFormed &&= inner.wellFormed && key.isWellFormed();
    total.longKey ||= inner.longKey || key.length > PROPERTY_KEY_LENGTH_MAX;
  }
  return total;
}

const PropertiesSchema = z.custom<Record<string, unknown>>((value) => {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return false;
  const { nodes, depth, wellFormed, longKey } = measure(value, 0);
  return nodes - 1 <= PROPERTY_NODES_MAX && depth <= PROPERTY_DEPTH_MAX && wellFormed && !longKey;
}, "not an object within the limits");

/**
 * An event as a client sends it. This is the definition; the write path runs `checkEvent`, which
 * accepts exactly what this accepts (a property test holds them together) and names the fault.
 */
export const EventSchema = z.strictObject({
  id: label(ID_LENGTH_MAX)
    .optional()
    .describe("Makes sending again safe: one customer's id is counted once. Made by the server when absent."),
  event: label(NAME_LENGTH_MAX).describe("What happened, as metrics match it."),
  customer_id: label(NAME_LENGTH_MAX).describe("Who used it: your id of the customer."),
  timestamp: z
    .union([z.string(), z.number()])
    .refine((value) => !Number.isNaN(toInstant(value)), "not a time")
    .optional()
    .describe("RFC 3339 with an offset, unix seconds or unix milliseconds. The time of receipt when absent."),
  properties: PropertiesSchema.optional().describe("Anything JSON can hold, at most 8 levels and 512 values."),
});
