import { SNAPSHOT_LENGTH_MAX, SNAPSHOT_MS_MAX, SNAPSHOT_SHARE } from "@tidemark/contract/query-limits";
import { findSnapshot, keepSnapshot } from "@tidemark/db/snapshots";
import { sha256 } from "@tidemark/http/digest";

/**
 * The answer to a question about a project's usage, kept until what it is made of changes: asking again
 * reads three rows, however many customers there are. While usage changes all the time, an answer is given out
 * for as long as it took to make, times `SNAPSHOT_SHARE`, so that one question never takes more than a
 * twentieth of the database. What the clock alone changes, such as who is dormant, is at most
 * `SNAPSHOT_MS_MAX` old; a question that depends on the day names it.
 *
 * @param question all that the answer depends on, as JSON can hold it; its first part names what is asked.
 */
export async function snapshot<Answer>(
  db: D1Database,
  projectId: string,
  question: readonly unknown[],
  make: () => Promise<Answer>,
): Promise<Answer> {
  const key = await sha256(JSON.stringify(question));
  const { mark, kept } = await findSnapshot(db, projectId, key);
  const startedAt = Date.now();
  if (kept !== undefined && isGood(kept, mark, startedAt)) return JSON.parse(kept.body) as Answer;
  const answer = await make();
  const body = JSON.stringify(answer);
  const took_ms = Date.now() - startedAt;
  if (body.length <= SNAPSHOT_LENGTH_MAX)
    await keepSnapshot(db, projectId, key, { mark, made_at: startedAt, took_ms, body });
  return answer;
}

function isGood(
  kept: { readonly mark: string; readonly made_at: number; readonly took_ms: number },
  mark: string,
  now: number,
): boolean {
  const age = now - kept.made_at;
  if (age < 0 || age > SNAPSHOT_MS_MAX) return false;
  return kept.mark === mark || age < kept.took_ms * SNAPSHOT_SHARE;
}
