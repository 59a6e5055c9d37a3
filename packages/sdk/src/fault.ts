import type { TidemarkError } from "./tidemark-error.ts";
import type { TrackInput, UsageEvent } from "./usage-event.ts";

/** Something that the caller of `track` or `take` cannot see and the operator should, handed to `onError`. */
export type Fault =
  /** An event that will never be sent. `dropped` counts all of this client so far. */
  | {
      readonly kind: "dropped";
      readonly reason: "spool_full" | "too_large" | "not_serialisable" | "closed";
      readonly event: TrackInput;
      readonly dropped: number;
    }
  /** An event that Tidemark refused; it is not sent again. `pointer` leads into the event. */
  | {
      readonly kind: "rejected";
      readonly event: UsageEvent;
      readonly code: string;
      readonly pointer: string;
      readonly detail: string;
    }
  /** Events could not be delivered. They are kept, `spooled` of them, and tried again. */
  | {
      readonly kind: "undelivered";
      readonly spooled: number;
      readonly detail: string;
      readonly error: TidemarkError | null;
    }
  /** A decision was made without Tidemark, by the option `unavailable`. */
  | { readonly kind: "unavailable"; readonly path: string; readonly detail: string }
  /** Usage that was admitted while Tidemark was away, and that can no longer be counted. */
  | { readonly kind: "uncounted"; readonly path: string; readonly body: string; readonly detail: string }
  /** A lease could not be granted, or was lost with `unreported` units that stay counted as used. */
  | { readonly kind: "lease"; readonly metric: string; readonly unreported: number; readonly detail: string }
  /** The caller's own function (`customer`, `amount`, `properties`, `plan`, `route`, `waitUntil`) has thrown. */
  | { readonly kind: "callback"; readonly error: unknown };

/** Hears of faults. It must not throw; if it does, that is ignored. */
export type OnError = (fault: Fault) => void;

/** One report of a kind in this time: an outage must not become a flood of lines. */
const QUIET_MS = 10_000;

/** What hears of faults when the caller does not want to: `console.error`, at most once in 10 s for each kind. */
export function logFaults(): OnError {
  const quietUntil = new Map<string, number>();
  return (fault) => {
    const now = performance.now();
    if (now < (quietUntil.get(fault.kind) ?? 0)) return;
    quietUntil.set(fault.kind, now + QUIET_MS);
    console.error(`tidemark: ${describe(fault)}`);
  };
}

/** Makes a function that reports: nothing that `onError` throws reaches the caller's request. */
export function safely(onError: OnError): OnError {
  return (fault) => {
    try {
      onError(fault);
    } catch (error) {
      console.error("tidemark: onError has thrown", error);
    }
  };
}

function describe(fault: Fault): string {
  switch (fault.kind) {
    case "dropped":
      return `an event was dropped (${fault.reason}), ${fault.dropped} so far`;
    case "rejected":
      return `event ${fault.event.id} was refused: ${fault.detail}`;
    case "undelivered":
      return `${fault.spooled} are waiting to be delivered: ${fault.detail}`;
    case "unavailable":
      return `${fault.path} was decided without Tidemark: ${fault.detail}`;
    case "uncounted":
      return `usage was admitted and cannot be counted: ${fault.detail}`;
    case "lease":
      return `the lease of ${fault.metric}: ${fault.detail}`;
    case "callback":
      return `a function given to the client has thrown: ${String(fault.error)}`;
  }
}
