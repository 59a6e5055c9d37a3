import { isObject } from "./is-object.ts";

/** Where in a request something is wrong: `pointer` is a JSON Pointer (RFC 6901). */
export interface ProblemDetail {
  readonly pointer: string;
  readonly code: string;
  readonly detail: string;
}

/**
 * Tidemark understood a request and refused it: sending it again would not help. A limit that is reached
 * is no error but a decision with `allowed: false`, and a service that cannot be reached is answered by
 * the option `unavailable`.
 *
 * @example
 * try {
 *   await client.consume({ customer_id: "acme", metric: "api_request" });
 * } catch (error) {
 *   if (error instanceof TidemarkError && error.code === "not_found") console.error(error.detail);
 * }
 */
export class TidemarkError extends Error {
  /** What went wrong, as a word that does not change, such as `invalid_key`. */
  readonly code: string;
  /** The status of the answer; 0 when the client itself refused. */
  readonly status: number;
  /** What went wrong, and what to do next. */
  readonly detail: string;
  /** Quote it when you report a problem; `null` when the request was not sent. */
  readonly request_id: string | null;
  /** The faults, one by one, where there are several. */
  readonly errors: readonly ProblemDetail[];

  constructor(problem: {
    readonly code: string;
    readonly detail: string;
    readonly status?: number;
    readonly request_id?: string | null;
    readonly errors?: readonly ProblemDetail[];
  }) {
    super(`${problem.code}: ${problem.detail}`);
    this.name = "TidemarkError";
    this.code = problem.code;
    this.status = problem.status ?? 0;
    this.detail = problem.detail;
    this.request_id = problem.request_id ?? null;
    this.errors = problem.errors ?? [];
  }
}

/** Reads an `application/problem+json` body; `undefined` when it is not one, so not Tidemark's word. */
export function toTidemarkError(status: number, body: unknown): TidemarkError | undefined {
  if (!isObject(body) || typeof body["code"] !== "string") return undefined;
  const { code, detail, request_id: requestId, errors } = body;
  return new TidemarkError({
    code,
    detail: typeof detail === "string" ? detail : code,
    status,
    request_id: typeof requestId === "string" ? requestId : null,
    errors: Array.isArray(errors) ? errors.filter(isProblemDetail) : [],
  });
}

/** Whether a value from JSON tells a fault and its place. */
export function isProblemDetail(value: unknown): value is ProblemDetail {
  return (
    isObject(value) &&
    typeof value["pointer"] === "string" &&
    typeof value["code"] === "string" &&
    typeof value["detail"] === "string"
  );
}
