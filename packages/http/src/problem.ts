import { PROBLEM_KINDS, type ProblemBody, type ProblemCode, type ProblemDetail } from "@tidemark/contract";

interface ProblemExtras {
  readonly errors?: readonly ProblemDetail[] | undefined;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A request that fails in a way the contract names. Thrown anywhere, answered in one place. */
export class Problem extends Error {
  readonly code: ProblemCode;
  readonly errors: readonly ProblemDetail[] | undefined;
  readonly headers: Readonly<Record<string, string>>;

  constructor(code: ProblemCode, detail: string, extras: ProblemExtras = {}) {
    super(detail);
    this.code = code;
    this.errors = extras.errors;
    this.headers = extras.headers ?? {};
  }
}

/** Writes a problem as RFC 9457 has it, with `type` on the origin that was asked. */
export function problemResponse(problem: Problem, requestId: string, requestUrl: string): Response {
  const { status, title } = PROBLEM_KINDS[problem.code];
  const body: ProblemBody = {
    type: new URL(`/docs/errors/${problem.code}`, requestUrl).href,
    title,
    status,
    detail: problem.message,
    code: problem.code,
    request_id: requestId,
    ...(problem.errors === undefined ? {} : { errors: problem.errors }),
  };
  return new Response(JSON.stringify(body), {
    status,
    headers: {
      ...problem.headers,
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      "x-request-id": requestId,
    },
  });
}

/** Turns whatever was thrown into an answer; what is not a `Problem` is logged and told nothing of. */
export function errorResponse(error: unknown, requestId: string, requestUrl: string): Response {
  if (error instanceof Problem) return problemResponse(error, requestId, requestUrl);
  const { pathname } = new URL(requestUrl);
  // A publication's key is in the query, so only the path is logged.
  console.error(
    JSON.stringify({
      request_id: requestId,
      path: pathname,
      error: String(error),
      stack: error instanceof Error ? error.stack : undefined,
    }),
  );
  return problemResponse(
    new Problem("internal_error", "The request failed; nothing more is known here. Quote the request id."),
    requestId,
    requestUrl,
  );
}
