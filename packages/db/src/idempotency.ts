import { and, eq, sql } from "drizzle-orm";
import { drizzle } from "drizzle-orm/d1";
import { idempotentAnswers } from "./schema.ts";

/** A repeated key names its project, because two projects may choose the same. */
export interface AnswerAddress {
  readonly project_id: string;
  readonly key: string;
}

/** A claim, told from a later one of the same key by its time. */
export interface ClaimedAnswer extends AnswerAddress {
  readonly created_at: number;
}

/** The request that came first under a key, and its answer once there is one. */
export type Claim =
  /** This request is the first; it owes `storeAnswer` or `dropClaim` what it was given here. */
  | { readonly kind: "first"; readonly claimed: ClaimedAnswer }
  /** Another request under this key has not been answered yet. */
  | { readonly kind: "in_progress"; readonly request_hash: string }
  | { readonly kind: "answered"; readonly request_hash: string; readonly status: number; readonly body: string };

/** How long an answer is kept, and how long a request may take before another may try. */
export interface ClaimAges {
  readonly answerMs: number;
  readonly progressMs: number;
}

/** A claim without an answer; no answer has this status. */
const IN_PROGRESS = 0;

/**
 * Claims a key for a request, in one statement, so that of two requests that arrive together one is the
 * first. A claim that is too old is taken over: its answer is forgotten, or its request died.
 */
export async function claimAnswer(
  db: D1Database,
  address: AnswerAddress,
  request: { readonly hash: string; readonly now: number; readonly ages: ClaimAges },
): Promise<Claim> {
  const { hash, now, ages } = request;
  const orm = drizzle(db);
  const values = { ...address, request_hash: hash, status: IN_PROGRESS, body: "", created_at: now };
  const [claimed] = await orm
    .insert(idempotentAnswers)
    .values(values)
    .onConflictDoUpdate({
      target: [idempotentAnswers.project_id, idempotentAnswers.key],
      set: { request_hash: hash, status: IN_PROGRESS, body: "", created_at: now },
      setWhere: sql`${idempotentAnswers.created_at} < CASE ${idempotentAnswers.status} WHEN ${IN_PROGRESS} THEN ${now - ages.progressMs} ELSE ${now - ages.answerMs} END`,
    })
    .returning({ key: idempotentAnswers.key });
  if (claimed !== undefined) return { kind: "first", claimed: { ...address, created_at: now } };
  const known = await orm
    .select({
      request_hash: idempotentAnswers.request_hash,
      status: idempotentAnswers.status,
      body: idempotentAnswers.body,
    })
    .from(idempotentAnswers)
    .where(matches(address))
    .get();
  // The first request failed and let go between the two statements.
  if (known === undefined) return claimAnswer(db, address, request);
  const { request_hash, status, body } = known;
  return status === IN_PROGRESS
    ? { kind: "in_progress", request_hash }
    : { kind: "answered", request_hash, status, body };
}

/** Keeps the answer of a claimed request. */
export async function storeAnswer(
  db: D1Database,
  claimed: ClaimedAnswer,
  answer: { readonly status: number; readonly body: string },
): Promise<void> {
  await drizzle(db).update(idempotentAnswers).set(answer).where(isStill(claimed));
}

/** Lets go of a claim whose request failed, so that it can be tried again. */
export async function dropClaim(db: D1Database, claimed: ClaimedAnswer): Promise<void> {
  await drizzle(db).delete(idempotentAnswers).where(isStill(claimed));
}

/** Forgets answers that are too old to be given again. At most `limit` at a time. */
export async function deleteOldAnswers(db: D1Database, before: number, limit: number): Promise<void> {
  await db
    .prepare(
      `DELETE FROM idempotent_answers WHERE (project_id, key) IN (
         SELECT project_id, key FROM idempotent_answers WHERE created_at < ? ORDER BY created_at LIMIT ?)`,
    )
    .bind(before, limit)
    .run();
}

function matches(address: AnswerAddress) {
  return and(eq(idempotentAnswers.project_id, address.project_id), eq(idempotentAnswers.key, address.key));
}

/** A request that took too long may have lost its claim to another. */
function isStill(claimed: ClaimedAnswer) {
  return and(
    matches(claimed),
    eq(idempotentAnswers.status, IN_PROGRESS),
    eq(idempotentAnswers.created_at, claimed.created_at),
  );
}
