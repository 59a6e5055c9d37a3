import { SNAPSHOT_BYTES_MAX, SNAPSHOT_MS_MAX, SNAPSHOT_SHARE, SNAPSHOT_WAIT_MS } from "@tidemark/contract/query-limits";
import { findSnapshot, keepSnapshot, type SnapshotRow } from "@tidemark/db/snapshots";
import { sha256 } from "@tidemark/http/digest";
import { singleFlight } from "./single-flight.ts";

/**
 * The answer to a question about a project's usage, kept until what it is made of changes: asking again
 * reads three rows, however many customers there are. While usage changes all the time, an answer is given out
 * for as long as it took to make, times `SNAPSHOT_SHARE`, so that one asker's isolate takes about a
 * twentieth of the database for one question at most. What the clock alone changes, such as who is dormant, is at most
 * `SNAPSHOT_MS_MAX` old; a question that depends on the day names it.
 *
 * Who asks an isolate while it makes the answer gets that one, which is no older than one that is given out would
 * be. An answer of more than `SNAPSHOT_BYTES_MAX` is not kept: it is made for everybody else who asks.
 *
 * @param question all that the answer depends on, as JSON can hold it; its first part names what is asked.
 */
export async function snapshot<Answer>(
  db: D1Database,
  projectId: string,
  question: readonly unknown[],
  make: () => Promise<Answer>,
): Promise<Answer> {
  return ask(db, projectId, { question, isGood: isCurrent }, make);
}

/**
 * The answer to a question, given out for `keptMs` whatever changes meanwhile: for what costs much, or other machines,
 * and may be that old. `snapshot` is for what has to be current.
 *
 * @param question as `snapshot` has it.
 */
export async function keptFor<Answer>(
  db: D1Database,
  projectId: string,
  { question, keptMs }: { readonly question: readonly unknown[]; readonly keptMs: number },
  make: () => Promise<Answer>,
): Promise<Answer> {
  const isGood: Judge = ({ made_at }, _mark, now) => now >= made_at && now - made_at < keptMs;
  return ask(db, projectId, { question, isGood }, make);
}

/** Whether a kept answer can be given out, while answers would be made of what `mark` says. */
type Judge = (kept: SnapshotRow, mark: string, now: number) => boolean;

async function ask<Answer>(
  db: D1Database,
  projectId: string,
  { question, isGood }: { readonly question: readonly unknown[]; readonly isGood: Judge },
  make: () => Promise<Answer>,
): Promise<Answer> {
  const key = await sha256(JSON.stringify(question));
  const { mark, kept } = await findSnapshot(db, projectId, key);
  const made_at = Date.now();
  if (kept !== undefined && isGood(kept, mark, made_at)) return JSON.parse(kept.body) as Answer;
  return singleFlight(`${projectId}:${key}`, SNAPSHOT_WAIT_MS, async () => {
    const answer = await make();
    const body = JSON.stringify(answer);
    const took_ms = Date.now() - made_at;
    if (bytesOf(body) <= SNAPSHOT_BYTES_MAX) await keep(db, projectId, key, { mark, made_at, took_ms, body });
    return answer;
  });
}

/** An answer that cannot be kept is an answer all the same. */
async function keep(db: D1Database, projectId: string, key: string, row: SnapshotRow): Promise<void> {
  try {
    await keepSnapshot(db, projectId, key, row);
  } catch (error) {
    console.warn(JSON.stringify({ at: "snapshot", project_id: projectId, error: String(error) }));
  }
}

/** As UTF-8, which is how it is stored. */
function bytesOf(text: string): number {
  return new TextEncoder().encode(text).byteLength;
}

function isCurrent(kept: SnapshotRow, mark: string, now: number): boolean {
  const age = now - kept.made_at;
  if (age < 0 || age > SNAPSHOT_MS_MAX) return false;
  return kept.mark === mark || age < kept.took_ms * SNAPSHOT_SHARE;
}
