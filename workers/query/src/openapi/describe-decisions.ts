import type { OpenAPIHono } from "@hono/zod-openapi";
import { ProblemSchema } from "@tidemark/contract/answer-schema";
import {
  CheckInputSchema,
  CommitInputSchema,
  ConsumeInputSchema,
  DecisionSchema,
  ExtendInputSchema,
  LeaseInputSchema,
  LeaseSchema,
  ReleaseInputSchema,
  ReportInputSchema,
  ReservationInputSchema,
  ReservationSchema,
} from "@tidemark/contract/decision-schema";
import * as z from "zod";
import { KEYED } from "../plumbing/routes.ts";

type Registry = OpenAPIHono["openAPIRegistry"];

/** The decisions of the ingest Worker, which carries no schemas itself. */
export function describeDecisions(registry: Registry): void {
  for (const route of ROUTES) post(registry, route);
  registry.registerPath({
    method: "get",
    path: "/v1/check",
    tags: ["Decisions"],
    summary: "Check, for proxies",
    description: "For proxies that look at the status only, like nginx auth_request and Envoy ext_authz.",
    security: KEYED,
    request: {
      query: z.strictObject({ customer_id: z.string(), metric: z.string(), amount: z.string().optional() }),
    },
    responses: {
      200: { description: "It would be allowed.", content: { "application/json": { schema: DecisionSchema } } },
      403: { description: "It would not.", content: { "application/json": { schema: DecisionSchema } } },
      400: problem("What is wrong is in `errors`."),
      401: problem("The key is missing or not valid."),
      503: problem("The key could not be checked."),
    },
  });
}

interface Route {
  readonly path: string;
  readonly summary: string;
  readonly description: string;
  readonly body: z.ZodType;
  readonly answer: z.ZodType;
  /** What 404 and 409 mean, where they can happen. */
  readonly gone?: string;
  readonly conflict?: string;
  readonly away?: string;
}

const GONE = "There is nothing with this id, or it is another project's.";
const AWAY = "The customer's meter could not be reached; send the same again.";

const ROUTES: readonly Route[] = [
  {
    path: "/v1/check",
    summary: "May this customer use so much?",
    description: "Advisory: nothing is counted, and the answer may be old when you read it. Use consume to be sure.",
    body: CheckInputSchema,
    answer: DecisionSchema,
  },
  {
    path: "/v1/consume",
    summary: "Use it, if it is allowed",
    description:
      "Decided and counted in one step: a hard limit is never passed. A denial is an answer, with `allowed: false` and a reason. While the meter cannot be reached, the limit's own `unavailable` decides.",
    body: ConsumeInputSchema,
    answer: DecisionSchema,
    conflict: "The id belongs to another request.",
  },
  {
    path: "/v1/reservations",
    summary: "Set units aside",
    description:
      "For work whose cost is known afterwards. What is reserved counts against the limit until it is committed, released or expires, in the cycle in which it was made.",
    body: ReservationInputSchema,
    answer: ReservationSchema,
    conflict: "The id belongs to another request, or too many reservations are open.",
  },
  {
    path: "/v1/reservations/{id}/commit",
    summary: "Count what was used of a reservation",
    description: "The rest is released. Repeating it returns the stored answer.",
    body: CommitInputSchema,
    answer: ReservationSchema,
    gone: GONE,
    conflict: "It has expired, or more was used than is reserved.",
    away: AWAY,
  },
  {
    path: "/v1/reservations/{id}/release",
    summary: "Let a reservation go",
    description: "Repeating it returns the stored answer.",
    body: ReleaseInputSchema,
    answer: ReservationSchema,
    gone: GONE,
    conflict: "It has expired.",
    away: AWAY,
  },
  {
    path: "/v1/reservations/{id}/extend",
    summary: "Give a reservation more time",
    description: "While a stream runs.",
    body: ExtendInputSchema,
    answer: ReservationSchema,
    gone: GONE,
    conflict: "It has expired.",
    away: AWAY,
  },
  {
    path: "/v1/leases",
    summary: "Hold units to decide without asking",
    description:
      "Units are debited when they are granted, so that all holders together never pass the limit, whatever crashes. An unreported lease counts as used. What a lease reports is usage: do not also send events of it that the same metric counts.",
    body: LeaseInputSchema,
    answer: LeaseSchema,
    conflict: "The id belongs to another request, or too many leases are open.",
    away: AWAY,
  },
  {
    path: "/v1/leases/{id}/report",
    summary: "Report what was used of a lease",
    description:
      "With `renew` the holder keeps what it has and gets more; without, the rest goes back. The same `sequence` counts once.",
    body: ReportInputSchema,
    answer: LeaseSchema,
    gone: GONE,
    conflict: "This grant has been reported.",
    away: AWAY,
  },
];

function post(registry: Registry, { path, summary, description, body, answer, gone, conflict, away }: Route): void {
  const params = path.includes("{id}") ? { params: z.object({ id: z.string() }) } : {};
  registry.registerPath({
    method: "post",
    path,
    tags: ["Decisions"],
    summary,
    description,
    security: KEYED,
    request: { ...params, body: { required: true, content: { "application/json": { schema: body } } } },
    responses: {
      200: {
        description: "Decided. `RateLimit` and `RateLimit-Policy` say what is left of a limit.",
        content: { "application/json": { schema: answer } },
      },
      400: problem("What is wrong is in `errors`."),
      401: problem("The key is missing or not valid."),
      403: problem("The key lacks the scope ingest."),
      ...(gone === undefined ? {} : { 404: problem(gone) }),
      ...(conflict === undefined ? {} : { 409: problem(conflict) }),
      413: problem("The body is too large."),
      503: problem(away ?? "The key could not be checked, or the queue did not take what was admitted."),
    },
  });
}

function problem(description: string) {
  return { description, content: { "application/problem+json": { schema: ProblemSchema } } };
}
