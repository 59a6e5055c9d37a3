import {
  DECISION_BYTES_MAX,
  type DecideRequest,
  ID_LENGTH_MAX,
  LEASE_RETURN_SECONDS_MAX,
  LEASE_SECONDS_DEFAULT,
  LEASE_SECONDS_MAX,
  type LeaseAnswer,
  NAME_LENGTH_MAX,
} from "@tidemark/contract";
import { authenticate } from "@tidemark/http/authenticate";
import { readBody } from "@tidemark/http/read-body";
import { v7 } from "uuid";
import { askMeter, type Asking, MeterAway } from "../decisions/ask-meter.ts";
import { Fields } from "../decisions/fields.ts";
import { fromHoldId, toHoldId } from "../decisions/hold-id.ts";
import { keyOf } from "../decisions/key-of.ts";
import { askSubscribed } from "../decisions/ask-subscribed.ts";
import { away } from "./reservations.ts";

type LeaseRequest = Extract<DecideRequest, { readonly kind: "lease" }>;
type ReportRequest = Extract<DecideRequest, { readonly kind: "report" }>;

/** `POST /v1/leases`: units for a holder who decides alone from here on. */
export async function postLease(request: Request, asking: Asking, requestId: string): Promise<Response> {
  const principal = await authenticate(request, "ingest", asking.env);
  const fields = Fields.parse((await readBody(request, DECISION_BYTES_MAX)).text);
  const returnAfter = fields.optionalWhole("return_after_seconds", 0, LEASE_RETURN_SECONDS_MAX);
  const wanted: LeaseRequest = {
    kind: "lease",
    project_id: principal.project_id,
    catalog_version: principal.catalog_version,
    customer_id: fields.name("customer_id", NAME_LENGTH_MAX),
    metric: fields.name("metric", NAME_LENGTH_MAX),
    want: fields.amount("want"),
    holder: fields.name("holder", ID_LENGTH_MAX),
    ttl_ms: fields.whole("ttl_seconds", 1, LEASE_SECONDS_MAX, LEASE_SECONDS_DEFAULT) * 1000,
    return_after_ms: returnAfter === null ? null : returnAfter * 1000,
    id: fields.optionalName("id", ID_LENGTH_MAX) ?? keyOf(request) ?? `lse_${v7()}`,
  };
  fields.end();
  const { customer_id, id: key } = wanted;
  const answer = await ask(asking, wanted);
  return answerLease({ ...answer, id: toHoldId("lse", { customer_id, key, open: null }) }, requestId);
}

/** `POST /v1/leases/{id}/report`: what was used of a grant, and whether more is wanted. */
export async function postReport(id: string, request: Request, asking: Asking, requestId: string): Promise<Response> {
  const principal = await authenticate(request, "ingest", asking.env);
  const fields = Fields.parse((await readBody(request, DECISION_BYTES_MAX)).text);
  const { customer_id, key } = fromHoldId("lse", id);
  const used = fields.amount("used");
  const sequence = fields.optionalWhole("sequence", 1, Number.MAX_SAFE_INTEGER);
  const renew = fields.optional("renew");
  const want = renew === null ? null : renew.amount("want");
  renew?.endItem();
  const seconds = fields.optionalWhole("ttl_seconds", 1, LEASE_SECONDS_MAX);
  fields.end();
  const { project_id, catalog_version } = principal;
  const ttl_ms = seconds === null ? null : seconds * 1000;
  const report: ReportRequest = {
    kind: "report",
    project_id,
    catalog_version,
    customer_id,
    lease: key,
    sequence,
    key: keyOf(request),
    used,
    want,
    ttl_ms,
  };
  return answerLease({ ...(await ask(asking, report)), id }, requestId);
}

async function ask(asking: Asking, request: LeaseRequest | ReportRequest): Promise<LeaseAnswer> {
  try {
    const reply = await (request.kind === "lease" ? askSubscribed(asking, request) : askMeter(asking, request));
    if (reply.kind !== "lease") throw new Error("The meter answered another question.");
    return reply.answer;
  } catch (error) {
    if (error instanceof MeterAway) throw away();
    throw error;
  }
}

function answerLease(answer: LeaseAnswer, requestId: string): Response {
  return new Response(JSON.stringify(answer), {
    headers: { "content-type": "application/json", "cache-control": "no-store", "x-request-id": requestId },
  });
}
