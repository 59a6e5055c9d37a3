import { PROBLEM_KINDS } from "@tidemark/contract";
import { Problem } from "@tidemark/http/problem";
import { invalid } from "../plumbing/issues.ts";
import { toPointer } from "../plumbing/pointer.ts";
import { type Arguments, IDEMPOTENCY_ARGUMENT, type Route } from "./tool.ts";

/**
 * The request of the API that a tool's arguments are: what the path does not name goes into the query or the
 * body, where the API checks it.
 *
 * @throws Problem invalid_request for what the path or a header needs, and what another tool does; not_found for what no path can hold.
 */
export function toRequest(route: Route, input: Arguments, from: Request): Request {
  const rest = new Map(Object.entries(input).filter(([, value]) => value !== undefined));
  const take = (name: string): unknown => {
    const value = rest.get(name);
    rest.delete(name);
    return value;
  };
  const path = route.path.replaceAll(/\{(\w+)\}/g, (_, name: string) => toSegment(name, take(name)));
  const headers = new Headers({ accept: "application/json" });
  const authorization = from.headers.get("authorization");
  if (authorization !== null) headers.set("authorization", authorization);
  const key = route.isIdempotent === true ? take(IDEMPOTENCY_ARGUMENT) : undefined;
  if (key !== undefined) headers.set("idempotency-key", toKey(key));
  if (route.says !== undefined) say(route.says, rest);
  const url = new URL(path, from.url);
  if (route.method === "POST" || route.method === "PATCH") {
    headers.set("content-type", "application/json");
    return new Request(url, { method: route.method, headers, body: JSON.stringify(Object.fromEntries(rest)) });
  }
  for (const [name, value] of rest) url.searchParams.set(name, toQueryText(value));
  return new Request(url, { method: route.method, headers });
}

function toSegment(name: string, value: unknown): string {
  const pointer = toPointer([name]);
  if (value === undefined) throw invalid([{ pointer, code: "missing", detail: "Is required." }]);
  if (typeof value !== "string" || value === "")
    throw invalid([{ pointer, code: "invalid_type", detail: "Must be a text." }]);
  // A URL has no such segments, however they are written.
  if (value === "." || value === "..") throw new Problem("not_found", `${PROBLEM_KINDS.not_found.title}.`);
  return encodeURIComponent(value.toWellFormed());
}

function say({ field, value, otherwise }: NonNullable<Route["says"]>, rest: Map<string, unknown>): void {
  if (rest.has(field) && rest.get(field) !== value) {
    const detail = `Must be ${JSON.stringify(value)}, or be left out. ${otherwise}`;
    throw invalid([{ pointer: toPointer([field]), code: "invalid_value", detail }]);
  }
  rest.set(field, value);
}

function toKey(value: unknown): string {
  if (typeof value === "string" && /^[\x21-\x7e]+$/.test(value)) return value;
  const detail = "Must be a text of printable ASCII characters without spaces.";
  throw invalid([{ pointer: toPointer([IDEMPOTENCY_ARGUMENT]), code: "invalid_value", detail }]);
}

/** What a query cannot hold as it is goes as JSON, which the API refuses by its name. */
function toQueryText(value: unknown): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}
