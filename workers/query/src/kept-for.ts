import { SNAPSHOT_WAIT_MS } from "@tidemark/contract/query-limits";
import { findSnapshot, keepSnapshot } from "@tidemark/db/snapshots";
import { sha256 } from "@tidemark/http/digest";
import { singleFlight } from "./single-flight.ts";

/**
 * The answer to a question, given out for `keptMs` whatever changes meanwhile: for what costs much, or other machines,
 * and may be that old. `snapshot` is for what has to be current.
 *
 * @param question all that the answer depends on, as JSON can hold it; its first part names what is asked.
 */
export async function keptFor<Answer>(
  db: D1Database,
  projectId: string,
  { question, keptMs }: { readonly question: readonly unknown[]; readonly keptMs: number },
  make: () => Promise<Answer>,
): Promise<Answer> {
  const key = await sha256(JSON.stringify(question));
  const { mark, kept } = await findSnapshot(db, projectId, key);
  const made_at = Date.now();
  const age = made_at - (kept?.made_at ?? -Infinity);
  if (kept !== undefined && age >= 0 && age < keptMs) return JSON.parse(kept.body) as Answer;
  return singleFlight(`${projectId}:${key}`, SNAPSHOT_WAIT_MS, async () => {
    const answer = await make();
    const body = JSON.stringify(answer);
    await keepSnapshot(db, projectId, key, { mark, made_at, took_ms: Date.now() - made_at, body });
    return answer;
  });
}
