import type { Answer, Api } from "./api.ts";
import { type Quantity, toDecision } from "./decision.ts";
import { exceeds } from "./exceeds.ts";
import { toObject } from "./is-object.ts";
import { type Replay, type ReplayResult, toReplayResult } from "./replay.ts";
import type { CommitInput, ReservationRequest } from "./reservation.ts";
import { TidemarkError } from "./tidemark-error.ts";
import { toReserved } from "./to-reserved.ts";

export interface MakeUpOptions {
  readonly api: Api;
  readonly timeoutMs: number;
  readonly request: ReservationRequest;
  readonly step: "commit" | "release";
  readonly input: CommitInput;
}

/**
 * Makes up for a reservation that was admitted while Tidemark was away: makes it, and takes the step. An attempt
 * whose answer was lost may have made it already; making it again, which is making it once, tells.
 *
 * Where the limit has been reached meanwhile, what is committed has been used all the same: it is counted as
 * usage that was admitted already, under the same id.
 */
export function makeUp({ api, timeoutMs, request, step, input }: MakeUpOptions): Replay["attempt"] {
  const [reserveBody, stepBody] = [JSON.stringify(request), JSON.stringify(input)];
  const countAnyway = async (): Promise<Answer<ReplayResult>> => {
    const amount = toCommitted(request, input);
    if (amount === null) return { kind: "refused", error: new TidemarkError(EXCESS) };
    const { customer_id, metric, id } = request;
    const { properties } = input;
    const countBody = JSON.stringify({ customer_id, metric, amount, id, properties, enforce: false });
    const answer = await api.post("/v1/consume", countBody, toDecision, timeoutMs);
    return answer.kind === "answered" ? { kind: "answered", body: toReplayResult(answer.body) } : answer;
  };
  // Once it is denied it stays so: made later, after all, it would count a second time.
  let isDenied = false;
  return async () => {
    if (isDenied) return countAnyway();
    const made = await api.post("/v1/reservations", reserveBody, toReserved, timeoutMs);
    if (made.kind !== "answered") return made;
    const { decision, grant } = made.body;
    if (grant !== null) return toCounted(await api.post(stepPath(grant.id, step), stepBody, toObject, timeoutMs));
    if (step === "release") return { kind: "answered", body: "counted" };
    // Admitted by the limit's own policy, with nothing held: the meter is still away.
    if (decision.allowed || toReplayResult(decision) === "later") return { kind: "answered", body: "later" };
    isDenied = true;
    return countAnyway();
  };
}

/** Where a reservation's steps are taken. */
export function stepPath(id: string, step: string): string {
  return `/v1/reservations/${encodeURIComponent(id)}/${step}`;
}

/** A step that was answered is counted. */
export function toCounted(answer: Answer<unknown>): Answer<ReplayResult> {
  return answer.kind === "answered" ? { kind: "answered", body: "counted" } : answer;
}

/** What a commit comes to, by the server's rules; `null` when it is refused. */
function toCommitted(request: ReservationRequest, { amount, on_excess = "reject" }: CommitInput): Quantity | null {
  if (amount === undefined) return request.amount;
  if (on_excess === "overflow" || !exceeds(amount, request.amount)) return amount;
  return on_excess === "cap" ? request.amount : null;
}

const EXCESS = {
  code: "exceeds_reservation",
  detail: "More was committed than was reserved. Commit as many, or say on_excess: cap or overflow.",
};
