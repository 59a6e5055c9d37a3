import { type ExactJson, parseExactJson } from "@tidemark/core/event";
import { Problem } from "@tidemark/http/problem";
import { readCloudEvent } from "./cloud-event.ts";
import { FaultyItem } from "./faulty-item.ts";

/** What a body holds, before any event of it is judged. */
export interface ParsedItems {
  /** Parsed JSON, or a `FaultyItem` where an item could not be read. */
  readonly items: readonly unknown[];
  /** True when the items are those of a JSON array; false for a body that is one event. */
  readonly isBatch: boolean;
  /** True when the text itself is the JSON of these items, so that it can be passed on as it came. */
  readonly isVerbatim: boolean;
}

/**
 * Reads a body by its content type: JSON (one event or an array), NDJSON, CloudEvents (one or a batch).
 *
 * @throws Problem malformed_body, unsupported_media_type.
 */
export function parseItems(contentType: string | null, text: string): ParsedItems {
  const mediaType = contentType?.split(";", 1)[0]?.trim().toLowerCase() ?? "";
  switch (mediaType) {
    case "":
    case "application/json":
    // What fetch() and sendBeacon() say of a string when nobody tells them better.
    case "text/plain":
      return parseJsonItems(text);
    case "application/x-ndjson":
    case "application/ndjson":
    case "application/jsonl":
      return { items: parseLines(text), isBatch: true, isVerbatim: false };
    case "application/cloudevents+json":
    case "application/cloudevents-batch+json": {
      const { items, isBatch } = parseJsonItems(text);
      if (isBatch !== mediaType.includes("batch")) {
        throw new Problem(
          "malformed_body",
          isBatch ? "An array needs application/cloudevents-batch+json." : "A CloudEvents batch is a JSON array.",
        );
      }
      return { items: items.map(readCloudEvent), isBatch, isVerbatim: false };
    }
    default:
      throw new Problem(
        "unsupported_media_type",
        `Content-Type "${mediaType.slice(0, 100)}" is not one that events come in.`,
      );
  }
}

function parseJsonItems(text: string): ParsedItems {
  let parsed: ExactJson;
  try {
    parsed = parseExactJson(text);
  } catch (error) {
    throw new Problem(
      "malformed_body",
      text.trim() === "" ? "The body is empty." : `The body is not JSON: ${(error as Error).message}`,
    );
  }
  const { value, isChanged } = parsed;
  // A line break would part a message in two where messages are kept as lines.
  const isVerbatim = !isChanged && !text.includes("\n");
  if (Array.isArray(value)) return { items: value, isBatch: true, isVerbatim };
  if (typeof value !== "object" || value === null) {
    throw new Problem("malformed_body", "The body is neither an event nor an array of events.");
  }
  return { items: [value], isBatch: false, isVerbatim };
}

function parseLines(text: string): unknown[] {
  const items: unknown[] = [];
  for (const line of text.split("\n")) {
    if (line.trim() === "") continue;
    try {
      items.push(parseExactJson(line).value);
    } catch (error) {
      items.push(
        new FaultyItem({
          code: "malformed_line",
          pointer: "",
          detail: `The line is not JSON: ${(error as Error).message}`,
        }),
      );
    }
  }
  if (items.length === 0) throw new Problem("malformed_body", "The body has no lines.");
  return items;
}
