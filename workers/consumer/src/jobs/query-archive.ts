import {
  type ArchiveQuery,
  EVENT_AHEAD_MS_MAX,
  type JobProgress,
  MEMORY_DAYS,
  type QueryProgress,
} from "@tidemark/contract";
import { ARCHIVE_OBJECTS_MAX } from "@tidemark/contract/query-limits";
import { DAY_MS } from "@tidemark/core";
import type { Job } from "@tidemark/db/jobs";
import { archiveKeyAt, archivePrefix } from "../archive-events.ts";
import type { ConsumerEnv } from "../env.ts";
import { ArchiveFold } from "./archive-fold.ts";
import { dropStates, loadState, saveState } from "./archive-state.ts";
import { decodeMessages } from "./read-messages.ts";
import type { Step } from "./run-job.ts";

/** How long a step takes before it keeps what it has. */
const STEP_MS = 8_000;
/** Objects listed at once, and read in a step at most: as many as the platform lists. */
const LIST_MAX = 1_000;
/** Objects fetched at once, as many as the platform connects for. Unpacked they are large, so that is done one by one. */
const FETCHED_MAX = 6;

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
  if (before === undefined) return countObjects(env, job, query, progress);
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

/**
 * Before it reads, a question counts what there is to read, with the cursor where it is in that: a project with
 * steady traffic has a million objects in two months.
 */
async function countObjects(env: ConsumerEnv, job: Job, query: ArchiveQuery, progress: JobProgress): Promise<Step> {
  const until = Date.now() + STEP_MS;
  const { prefix, startAfter, end } = keysOf(job, query);
  let { cursor, objects_total } = progress;
  for (let isOver = false; !isOver;) {
    if (Date.now() > until) return { progress: { ...progress, cursor, objects_total } };
    const page = await env.ARCHIVE.list({ prefix, startAfter: cursor ?? startAfter, limit: LIST_MAX });
    const due = page.objects.filter(({ key }) => key < end);
    objects_total += due.length;
    cursor = due.at(-1)?.key ?? cursor;
    isOver = !page.truncated || due.length < page.objects.length;
  }
  const counted = { ...progress, cursor: null, objects_total };
  if (objects_total > ARCHIVE_OBJECTS_MAX) return abandon(counted, tooMany(objects_total));
  return { progress: { ...counted, query: { state_key: null, stale_key: null, matched: 0, result: null } } };
}

function tooMany(objects: number): string {
  return `The archive has ${objects} objects to read for this range, and one question reads at most ${ARCHIVE_OBJECTS_MAX}. Events may arrive late, so all that was received within ${MEMORY_DAYS} days after the range has to be read too. Ask for a shorter range, or make a metric of the question and backfill it, which reads as many as there are.`;
}

/**
 * Which objects can hold the range's events: they are named by when they were received, which is minutes before
 * an event's time at the earliest, and weeks after it at the latest. A copy that came in those minutes of an event
 * without a time is met as well.
 */
function keysOf({ project_id }: Job, { from, to }: ArchiveQuery): { prefix: string; startAfter: string; end: string } {
  return {
    prefix: archivePrefix(project_id),
    startAfter: archiveKeyAt(project_id, Math.max(from - EVENT_AHEAD_MS_MAX, 0)),
    end: archiveKeyAt(project_id, Math.max(to, 0) + MEMORY_DAYS * DAY_MS),
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
  const page = await bucket.list({ prefix, startAfter: after ?? startAfter, limit: LIST_MAX });
  const due = page.objects.map(({ key }) => key).filter((key) => key < end);
  let objects = 0;
  let events = 0;
  while (objects < due.length && Date.now() <= until && fold.excess === undefined) {
    const keys = due.slice(objects, objects + FETCHED_MAX);
    for (const bytes of await Promise.all(keys.map((key) => fetchBytes(bucket, key))))
      events += addObject(fold, bytes, job);
    objects += keys.length;
  }
  const cursor = due[objects - 1] ?? after;
  return {
    isOver: objects === due.length && (!page.truncated || due.length < page.objects.length),
    counts: (before) => ({ cursor, objects: before.objects + objects, events: before.events + events }),
  };
}

async function fetchBytes(bucket: R2Bucket, key: string): Promise<ArrayBuffer | null> {
  const object = await bucket.get(key);
  return object === null ? null : object.arrayBuffer();
}

/** @returns how many events were read. */
function addObject(fold: ArchiveFold, bytes: ArrayBuffer | null, job: Job): number {
  if (bytes === null || fold.excess !== undefined) return 0;
  let events = 0;
  for (const message of decodeMessages(bytes)) {
    // The answer is of the moment when it was asked for.
    if (message.received_at > job.created_at) continue;
    for (const event of message.events) fold.add(event, message.received_at);
    events += message.events.length;
  }
  return events;
}

/** Ends the job with what to do instead. */
function abandon(progress: JobProgress, error: string): Step {
  return { progress: { ...progress, error, is_abandoned: true } };
}
