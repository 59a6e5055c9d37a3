import { type ArchiveQuery, type JobProgress, MEMORY_DAYS, type QueryProgress } from "@tidemark/contract";
import { ARCHIVE_OBJECTS_MAX } from "@tidemark/contract/query-limits";
import { dayOf, formatDay } from "@tidemark/core";
import type { Job } from "@tidemark/db/jobs";
import { archivePrefix } from "../archive-events.ts";
import type { ConsumerEnv } from "../env.ts";
import { ArchiveFold } from "./archive-fold.ts";
import { dropStates, loadState, saveState } from "./archive-state.ts";
import { readMessages } from "./read-messages.ts";
import type { Step } from "./run-job.ts";

/** How long a step reads before it keeps what it has, and objects that it reads at most. */
const STEP_MS = 8_000;
const OBJECTS_PER_STEP = 100;
/** Objects counted at once. */
const LIST_MAX = 1_000;

/**
 * Answers a question over the archive: reads the next objects and keeps what they add. The progress names the
 * figures that belong to it, so that a step that is done again begins where the one before ended.
 *
 * @returns `null` when the job is over.
 */
export async function queryArchive(
  env: ConsumerEnv,
  job: Job,
  query: ArchiveQuery,
  progress: JobProgress,
): Promise<Step | null> {
  const before = progress.query;
  if (progress.is_abandoned || (before !== undefined && before.result !== null)) {
    await dropStates(env.ARCHIVE, job);
    return null;
  }
  if (before === undefined) return begin(env, job, query, progress);
  if (before.stale_key !== null) await env.ARCHIVE.delete(before.stale_key);
  const fold =
    before.state_key === null
      ? new ArchiveFold(query)
      : ArchiveFold.from(query, await loadState(env.ARCHIVE, before.state_key));
  const read = await readObjects(env.ARCHIVE, job, { query, fold, after: progress.cursor });
  if (fold.excess !== undefined) return abandon(progress, fold.excess);
  const { matched } = fold;
  if (read.isOver)
    return {
      progress: { ...progress, ...read.counts(progress), query: { ...before, matched, result: fold.toResult() } },
    };
  const state_key = await saveState(env.ARCHIVE, job, fold.toState());
  const kept: QueryProgress = { state_key, stale_key: before.state_key, matched, result: null };
  return { progress: { ...progress, ...read.counts(progress), query: kept } };
}

/** Before its first step a question counts what it has to read. */
async function begin(env: ConsumerEnv, job: Job, query: ArchiveQuery, progress: JobProgress): Promise<Step> {
  const { prefix, startAfter, end } = keysOf(job, query);
  let objects_total = 0;
  for (let after: string | undefined = startAfter; after !== undefined;) {
    const page: R2Objects = await env.ARCHIVE.list({ prefix, startAfter: after, limit: LIST_MAX });
    const own = page.objects.filter(({ key }) => key < end);
    objects_total += own.length;
    if (objects_total > ARCHIVE_OBJECTS_MAX) return abandon(progress, tooMany());
    after = page.truncated && own.length === page.objects.length ? page.objects.at(-1)?.key : undefined;
  }
  return {
    progress: { ...progress, objects_total, query: { state_key: null, stale_key: null, matched: 0, result: null } },
  };
}

function tooMany(): string {
  return `The archive has more than ${ARCHIVE_OBJECTS_MAX} objects of this range, with the ${MEMORY_DAYS} days after it in which its events may have arrived: ask for a shorter range.`;
}

/**
 * Which objects can hold the range's events: they are named by when they were received, which is minutes before
 * an event's time at the earliest, and weeks after it at the latest. A copy of an event without a time may have
 * counted the day before.
 */
function keysOf({ project_id }: Job, { from, to }: ArchiveQuery): { prefix: string; startAfter: string; end: string } {
  const prefix = archivePrefix(project_id);
  return {
    prefix,
    startAfter: prefix + formatDay(Math.max(dayOf(from) - 1, 0)),
    end: prefix + formatDay(dayOf(to) + MEMORY_DAYS + 1),
  };
}

/** What a step has read. */
interface Read {
  readonly isOver: boolean;
  counts(before: JobProgress): Pick<JobProgress, "cursor" | "objects" | "events">;
}

async function readObjects(
  bucket: R2Bucket,
  job: Job,
  { query, fold, after }: { readonly query: ArchiveQuery; readonly fold: ArchiveFold; readonly after: string | null },
): Promise<Read> {
  const until = Date.now() + STEP_MS;
  const { prefix, startAfter, end } = keysOf(job, query);
  const page = await bucket.list({ prefix, startAfter: after ?? startAfter, limit: OBJECTS_PER_STEP });
  const due = page.objects.filter(({ key }) => key < end);
  let cursor = after;
  let objects = 0;
  let events = 0;
  for (const { key } of due) {
    if (Date.now() > until || fold.excess !== undefined) break;
    for (const message of await readMessages(bucket, key)) {
      // The answer is of the moment when it was asked for.
      if (message.received_at > job.created_at) continue;
      for (const event of message.events) fold.add(event, message.received_at);
      events += message.events.length;
    }
    cursor = key;
    objects++;
  }
  return {
    isOver: objects === due.length && (!page.truncated || due.length < page.objects.length),
    counts: (before) => ({ cursor, objects: before.objects + objects, events: before.events + events }),
  };
}

/** Ends the job with what to do instead. */
function abandon(progress: JobProgress, error: string): Step {
  return { progress: { ...progress, error, is_abandoned: true } };
}
