/**
 * Every way a request can fail, in one table: the code is the contract, the rest is for people.
 * Bodies are RFC 9457 `application/problem+json`; `type` is a page that the deployment itself serves.
 */
export interface ProblemKind {
  readonly status: number;
  readonly title: string;
  /** What to do next; the page at `/docs/errors/{code}` shows it. */
  readonly remedy: string;
}

const kinds = {
  malformed_body: {
    status: 400,
    title: "The body cannot be read",
    remedy: "Send valid JSON in UTF-8: one event, an array of events, NDJSON, or CloudEvents with their content type.",
  },
  invalid_request: {
    status: 400,
    title: "The request is not valid",
    remedy: "Correct the fields that `errors` points at.",
  },
  invalid_cursor: {
    status: 400,
    title: "The cursor is not one of ours",
    remedy: "Start again without `cursor`; pass `next_cursor` back unchanged.",
  },
  missing_key: { status: 401, title: "No API key", remedy: "Send `Authorization: Bearer <key>`." },
  invalid_key: {
    status: 401,
    title: "The API key is not valid",
    remedy: "Check that the key is complete and has not been revoked, or make a new one.",
  },
  missing_scope: {
    status: 403,
    title: "The key may not do this",
    remedy: "Use a key that has the scope named in `detail`.",
  },
  foreign_origin: {
    status: 403,
    title: "A page of another origin may not call this",
    remedy: "Call it from a program, which sends no Origin header, or from a page of the deployment itself.",
  },
  not_found: {
    status: 404,
    title: "There is nothing here",
    remedy: "Check the path and the id; another project's ids answer the same.",
  },
  method_not_allowed: {
    status: 405,
    title: "The method is not allowed here",
    remedy: "Use one of the methods in the Allow header.",
  },
  conflict: {
    status: 409,
    title: "The request conflicts with what exists",
    remedy: "Read the current state and decide again.",
  },
  no_allowance: {
    status: 409,
    title: "The customer has no allowance of this metric",
    remedy: "Set one with `POST /v1/customers/{id}/allowances`, or subscribe the customer to a product that has one.",
  },
  reservation_expired: {
    status: 409,
    title: "The reservation has expired",
    remedy: "Report what was used as an event, or consume it; next time extend the reservation before it ends.",
  },
  exceeds_reservation: {
    status: 409,
    title: "More was used than was reserved",
    remedy: "Commit at most what is reserved, or say `on_excess`: `cap` to count only that, `overflow` to count all.",
  },
  stale_sequence: {
    status: 409,
    title: "This grant of the lease has been reported",
    remedy: "Go by the latest answer: its `sequence` names the grant that the next report is about.",
  },
  too_many_holds: {
    status: 409,
    title: "Too many reservations and leases are open",
    remedy: "Commit or release what is not needed any more, or lease larger amounts less often.",
  },
  too_large: {
    status: 413,
    title: "The body is too large",
    remedy: "Split the batch: at most 10,000 events and 5,000,000 bytes after decompression.",
  },
  unsupported_encoding: {
    status: 415,
    title: "The content encoding is not supported",
    remedy: "Send the body as it is, or with `Content-Encoding: gzip`.",
  },
  unsupported_media_type: {
    status: 415,
    title: "The content type is not supported",
    remedy:
      "Use application/json, application/x-ndjson, application/cloudevents+json or application/cloudevents-batch+json.",
  },
  no_valid_event: {
    status: 422,
    title: "Every event was refused",
    remedy: "Each entry of `errors` names the event, the field and what is wrong; correct and send again.",
  },
  rate_limited: { status: 429, title: "Too many requests", remedy: "Wait for the seconds in Retry-After." },
  internal_error: {
    status: 500,
    title: "Something failed on our side",
    remedy:
      "Send again; events with an id are counted once however often they arrive. Quote the request id when you report it.",
  },
  unavailable: {
    status: 503,
    title: "A part of the system did not answer",
    remedy: "Nothing was accepted. Send the whole request again after Retry-After; events with an id are counted once.",
  },
} as const satisfies Record<string, ProblemKind>;

export type ProblemCode = keyof typeof kinds;
export const PROBLEM_KINDS: Readonly<Record<ProblemCode, ProblemKind>> = kinds;

/** Where in a request something is wrong. `pointer` is a JSON Pointer (RFC 6901). */
export interface ProblemDetail {
  readonly pointer: string;
  readonly code: string;
  readonly detail: string;
}

export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: ProblemCode;
  readonly request_id: string;
  readonly errors?: readonly ProblemDetail[];
}

/** Why one event of a batch was refused. */
export type EventFaultCode =
  | "not_an_object"
  | "unknown_field"
  | "missing"
  | "invalid_id"
  | "invalid_event"
  | "invalid_customer_id"
  | "invalid_timestamp"
  | "invalid_properties"
  | "too_deep"
  | "too_many_values"
  | "event_too_old"
  | "event_in_future"
  | "event_too_large"
  | "invalid_cloudevent"
  | "malformed_line";

/** One refused event in the answer to `POST /v1/events`. */
export interface Rejection {
  readonly index: number;
  readonly id: string | null;
  readonly code: EventFaultCode;
  readonly pointer: string;
  readonly detail: string;
}
