import {
  DECISION_BYTES_MAX,
  DECISION_ITEMS_MAX,
  type DecideRequest,
  type Decision,
  ID_LENGTH_MAX,
  NAME_LENGTH_MAX,
} from "@tidemark/contract";
import { authenticate, type Principal } from "@tidemark/http/authenticate";
import { readBody } from "@tidemark/http/read-body";
import { v7 } from "uuid";
import { answerDecision } from "../decisions/answer-decision.ts";
import { type Asking, MeterAway } from "../decisions/ask-meter.ts";
import { Fields } from "../decisions/fields.ts";
import { keyOf } from "../decisions/key-of.ts";
import { queueAdmitted, undecided } from "../decisions/open-decision.ts";
import { askSubscribed } from "../decisions/ask-subscribed.ts";
import { unavailableOf } from "../decisions/unavailable.ts";

type UseRequest = Extract<DecideRequest, { readonly kind: "check" | "consume" }>;

/** `POST /v1/check` and `POST /v1/consume`. */
export async function postUse(
  kind: UseRequest["kind"],
  request: Request,
  asking: Asking,
  requestId: string,
): Promise<Response> {
  const principal = await authenticate(request, "ingest", asking.env);
  const { text } = await readBody(request, DECISION_BYTES_MAX);
  const key = kind === "consume" ? keyOf(request) : null;
  const answer = await decideUse(asking, toRequest(kind, Fields.parse(text), principal, key));
  return answerDecision(answer, requestId, Date.now());
}

/** `GET /v1/check`, for proxies that look at nothing but the status: 200 or 403. */
export async function getCheck(request: Request, asking: Asking, requestId: string): Promise<Response> {
  const principal = await authenticate(request, "ingest", asking.env);
  const fields = Fields.ofQuery(new URL(request.url).searchParams);
  const answer = await decideUse(asking, toRequest("check", fields, principal, null));
  return answerDecision(answer, requestId, Date.now(), answer.allowed ? 200 : 403);
}

function toRequest(kind: UseRequest["kind"], fields: Fields, principal: Principal, key: string | null): UseRequest {
  const customer_id = fields.name("customer_id", NAME_LENGTH_MAX);
  const items = fields.has("items")
    ? fields.list("items", DECISION_ITEMS_MAX).map((item) => {
        const read = toItem(item);
        item.endItem();
        return read;
      })
    : [toItem(fields)];
  const id = kind === "consume" ? (fields.optionalName("id", ID_LENGTH_MAX) ?? key) : null;
  const properties = fields.properties();
  const returns = kind === "consume" ? fields.optionalName("returns", ID_LENGTH_MAX) : null;
  const enforce = kind === "consume" ? fields.flag("enforce", true) : true;
  fields.end();
  return {
    kind,
    project_id: principal.project_id,
    customer_id,
    catalog_version: principal.catalog_version,
    items,
    id: id ?? (kind === "consume" ? `dec_${v7()}` : ""),
    is_named: id !== null,
    properties,
    returns,
    enforce,
  };
}

function toItem(fields: Fields): UseRequest["items"][number] {
  return { metric: fields.name("metric", NAME_LENGTH_MAX), amount: fields.amount("amount", 1) };
}

/** Asks the meter, and does what the limit says when that cannot be reached. */
async function decideUse(asking: Asking, request: UseRequest): Promise<Decision> {
  try {
    const reply = await askSubscribed(asking, request);
    if (reply.kind !== "decision") throw new Error("The meter answered another question.");
    return reply.answer;
  } catch (error) {
    if (!(error instanceof MeterAway)) throw error;
    if ((await unavailableOf(asking.env.DB, request)) === "closed") return undecided(request.items, false);
    if (request.kind === "consume") await queueAdmitted(asking.env, request);
    return undecided(request.items, true);
  }
}
