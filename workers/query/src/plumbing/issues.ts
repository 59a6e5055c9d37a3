import type { ProblemDetail } from "@tidemark/contract";
import { Problem } from "@tidemark/http/problem";
import type * as z from "zod";
import { toPointer } from "./pointer.ts";

type Issue = z.core.$ZodIssue;

/**
 * Turns what zod found into a problem that names every field, by a JSON Pointer, and says what to do.
 * Parameters of the query and the path are pointed at like fields of a body.
 */
export function toProblem(error: { readonly issues: readonly Issue[] }): Problem {
  return invalid(error.issues.flatMap(toDetails));
}

/** A request that is wrong in places that no schema can see. */
export function invalid(errors: readonly ProblemDetail[]): Problem {
  const [first] = errors;
  const detail =
    errors.length === 1 && first !== undefined
      ? `${first.pointer === "" ? "The body" : first.pointer}: ${first.detail}`
      : `${errors.length} fields are not valid; \`errors\` names each.`;
  return new Problem("invalid_request", detail, { errors });
}

function toDetails(issue: Issue): readonly ProblemDetail[] {
  const pointer = toPointer(issue.path);
  if (issue.code === "unrecognized_keys") {
    return issue.keys.map((key) => ({
      pointer: pointer + toPointer([key]),
      code: "unknown_field",
      detail: "There is no field or parameter of this name; leave it out.",
    }));
  }
  return [{ pointer, ...describe(issue) }];
}

function describe(issue: Issue): Pick<ProblemDetail, "code" | "detail"> {
  switch (issue.code) {
    case "invalid_type":
      if (issue.message.endsWith("received undefined")) return { code: "missing", detail: "Is required." };
      if (issue.message.endsWith("received array")) {
        return { code: "invalid_type", detail: `Must be one ${issue.expected}, not several.` };
      }
      if (!issue.message.startsWith("Invalid input")) return { code: "invalid_type", detail: issue.message };
      return { code: "invalid_type", detail: `Must be ${TYPES[issue.expected] ?? issue.expected}.` };
    case "too_small":
      return { code: "too_small", detail: sizeOf(issue.origin, `at least ${issue.minimum}`, Number(issue.minimum)) };
    case "too_big":
      return { code: "too_big", detail: sizeOf(issue.origin, `at most ${issue.maximum}`, Number(issue.maximum)) };
    case "invalid_value":
      if (!issue.message.startsWith("Invalid")) return { code: "invalid_value", detail: issue.message };
      return {
        code: "invalid_value",
        detail: `Must be ${issue.values.map((value) => JSON.stringify(value)).join(" or ")}.`,
      };
    case "invalid_key":
      return { code: "invalid_key", detail: issue.issues.map((inner) => describe(inner).detail).join(" ") };
    default:
      return { code: "invalid_value", detail: issue.message };
  }
}

const TYPES: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "a whole number",
  boolean: "true or false",
  object: "an object",
  array: "an array",
};

function sizeOf(origin: string, bound: string, count: number): string {
  const plural = count === 1 ? "" : "s";
  if (origin === "string") return `Must have ${bound} character${plural}.`;
  if (origin === "array") return `Must have ${bound} entr${count === 1 ? "y" : "ies"}.`;
  return `Must be ${bound}.`;
}
