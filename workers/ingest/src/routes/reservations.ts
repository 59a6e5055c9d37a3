import {
  DECISION_BYTES_MAX,
  type DecideRequest,
  ID_LENGTH_MAX,
  NAME_LENGTH_MAX,
  RESERVATION_SECONDS_DEFAULT,
  RESERVATION_SECONDS_MAX,
  type ReservationAnswer,
} from "@tidemark/contract";
import { compareDecimals } from "@tidemark/core/decimal";
import { authenticate } from "@tidemark/http/authenticate";
import { Problem } from "@tidemark/http/problem";
import { readBody } from "@tidemark/http/read-body";
import { v7 } from "uuid";
import { answerDecision } from "../decisions/answer-decision.ts";
import { askMeter, type Asking, MeterAway } from "../decisions/ask-meter.ts";
import { Fields } from "../decisions/fields.ts";
import { fromHoldId, type HoldId, isAmountText, toHoldId } from "../decisions/hold-id.ts";
import { keyOf } from "../decisions/key-of.ts";
import { queueAdmitted, undecided } from "../decisions/open-decision.ts";
import { askSubscribed } from "../decisions/ask-subscribed.ts";
import { unavailableOf } from "../decisions/unavailable.ts";

type ReserveRequest = Extract<DecideRequest, { readonly kind: "reserve" }>;

/** `POST /v1/reservations`. */
export async function postReservation(request: Request, asking: Asking, requestId: string): Promise<Response> {
  const principal = await authenticate(request, "ingest", asking.env);
  const fields = Fields.parse((await readBody(request, DECISION_BYTES_MAX)).text);
  const named = fields.optionalName("id", ID_LENGTH_MAX) ?? keyOf(request);
  const wanted: ReserveRequest = {
    kind: "reserve",
    project_id: principal.project_id,
    catalog_version: principal.catalog_version,
    customer_id: fields.name("customer_id", NAME_LENGTH_MAX),
    item: { metric: fields.name("metric", NAME_LENGTH_MAX), amount: fields.amount("amount", 1) },
    ttl_ms: fields.whole("ttl_seconds", 1, RESERVATION_SECONDS_MAX, RESERVATION_SECONDS_DEFAULT) * 1000,
    on_expiry: fields.choice("on_expiry", ["release", "charge"], "release"),
    id: named ?? `rsv_${v7()}`,
    is_named: named !== null,
    properties: fields.properties(),
  };
  fields.end();
  const { answer, open } = await reserve(asking, wanted);
  const id = toHoldId("rsv", { customer_id: wanted.customer_id, key: wanted.id, open });
  return answerDecision({ ...answer, id } as ReservationAnswer, requestId, Date.now());
}

async function reserve(
  asking: Asking,
  wanted: ReserveRequest,
): Promise<{ readonly answer: ReservationAnswer; readonly open: HoldId["open"] }> {
  try {
    return { answer: await ask(asking, wanted), open: null };
  } catch (error) {
    if (!(error instanceof MeterAway)) throw error;
    const { metric } = wanted.item;
    const amount = String(wanted.item.amount);
    const isOpen = (await unavailableOf(asking.env.DB, wanted)) === "open";
    const decision = undecided([wanted.item], isOpen);
    if (!isOpen) return { answer: { ...decision, id: wanted.id, granted: "0", expires_at: null }, open: null };
    const expires_at = new Date(Date.now() + wanted.ttl_ms).toISOString();
    return { answer: { ...decision, id: wanted.id, granted: amount, expires_at }, open: { metric, amount } };
  }
}

/** What can be done with a reservation. */
type Ending = "commit" | "release" | "extend";

/** `POST /v1/reservations/{id}/commit`, `/release`, `/extend`. */
export async function postReservationEnd(
  ending: Ending,
  id: string,
  request: Request,
  asking: Asking,
  requestId: string,
): Promise<Response> {
  const principal = await authenticate(request, "ingest", asking.env);
  const fields = Fields.parse((await readBody(request, DECISION_BYTES_MAX)).text);
  const hold = fromHoldId("rsv", id);
  const whose = fields.optionalName("customer_id", NAME_LENGTH_MAX);
  if (whose !== null && whose !== hold.customer_id) throw new Problem("not_found", "There is no such reservation.");
  const { project_id, catalog_version } = principal;
  const named = { project_id, catalog_version, customer_id: hold.customer_id, reservation: hold.key };
  const ended = toEnding(ending, fields, named);
  fields.end();
  const answer = hold.open === null ? await askToEnd(asking, ended) : await endOpen(asking, ended, hold);
  return answerDecision({ ...answer, id } as ReservationAnswer, requestId, Date.now());
}

type EndRequest = Extract<DecideRequest, { readonly kind: Ending }>;
type Named = Pick<EndRequest, "project_id" | "catalog_version" | "customer_id" | "reservation">;

function toEnding(ending: Ending, fields: Fields, named: Named): EndRequest {
  switch (ending) {
    case "commit":
      return {
        ...named,
        kind: "commit",
        amount: fields.optionalAmount("amount"),
        properties: fields.properties(),
        on_excess: fields.choice("on_excess", ["reject", "cap", "overflow"], "reject"),
      };
    case "release":
      return { ...named, kind: "release" };
    case "extend":
      return {
        ...named,
        kind: "extend",
        ttl_ms: fields.whole("ttl_seconds", 1, RESERVATION_SECONDS_MAX, RESERVATION_SECONDS_DEFAULT) * 1000,
      };
  }
}

async function askToEnd(asking: Asking, request: EndRequest): Promise<ReservationAnswer> {
  try {
    return await ask(asking, request);
  } catch (error) {
    if (error instanceof MeterAway) throw away();
    throw error;
  }
}

/** Nothing was reserved of what was admitted without the meter; what was used of it is counted when it is back. */
async function endOpen(asking: Asking, request: EndRequest, { key, open }: HoldId): Promise<ReservationAnswer> {
  if (open === null) throw new Error("The meter knows this reservation.");
  const { metric } = open;
  const amount = request.kind === "commit" ? toCommitted(request, open.amount) : "0";
  const { project_id, customer_id } = request;
  if (request.kind === "commit") {
    const { properties } = request;
    const items = [{ metric, amount, is_filtered: true }];
    await queueAdmitted(asking.env, { project_id, customer_id, id: key, items, properties });
  }
  const answer = undecided([{ metric, amount }], true);
  return { ...answer, id: key, granted: open.amount, expires_at: null, committed: amount };
}

/** What a commit comes to, by the same rules as the meter's. */
function toCommitted({ amount, on_excess }: Extract<EndRequest, { kind: "commit" }>, granted: string): string {
  const text = String(amount ?? granted);
  const refuse = (code: "invalid_request" | "exceeds_reservation", detail: string): never => {
    throw new Problem(code, detail, { errors: [{ pointer: "/amount", code, detail }] });
  };
  if (!isAmountText(text)) return refuse("invalid_request", "Must be a decimal that is not negative.");
  if (compareDecimals(text, granted) <= 0 || on_excess === "overflow") return text;
  if (on_excess === "cap") return granted;
  return refuse("exceeds_reservation", `${granted} are reserved. Commit as many, or say on_excess: cap or overflow.`);
}

async function ask(asking: Asking, request: ReserveRequest | EndRequest): Promise<ReservationAnswer> {
  const reply = await (request.kind === "reserve" ? askSubscribed(asking, request) : askMeter(asking, request));
  if (reply.kind !== "reservation") throw new Error("The meter answered another question.");
  return reply.answer;
}

/** @returns the problem of something that only the meter can do. */
export function away(): Problem {
  return new Problem("unavailable", "The customer's meter could not be reached; send the same again.", {
    headers: { "retry-after": "2" },
  });
}
