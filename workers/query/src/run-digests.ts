import type { NotificationMessage } from "@tidemark/contract";
import {
  DIGEST_RETRY_MS_MAX,
  DIGEST_RETRY_MS_MIN,
  DIGESTS_AT_ONCE,
  DIGESTS_PER_RUN_MAX,
  DIGESTS_RUN_MS,
} from "@tidemark/contract/query-limits";
import { weeklyAfter, weeklyUntil } from "@tidemark/core/weekly";
import { type DigestRow, insertDigestNotice, listDueDigests, moveDigest, putOffDigest } from "@tidemark/db/digests";
import type { ProjectRow } from "@tidemark/db/projects";
import { Problem } from "@tidemark/http/problem";
import { requireMetric } from "./api/metrics/metric.ts";
import { digestBody } from "./digest-body.ts";
import type { QueryEnv } from "./env.ts";
import { requireProject } from "./project.ts";

/**
 * Makes the digests that are due, a few at a time. Each becomes a notice whose id names its week, then a message
 * that has it delivered, and only then is it due again in a week. Whatever is cut off in between is done again, and
 * changes nothing that was done. What there is no time for, the next run makes.
 */
export async function runDigests(env: QueryEnv, now: number): Promise<void> {
  const waiting = (await listDueDigests(env.DB, now, DIGESTS_PER_RUN_MAX)).values();
  const makers = Array.from({ length: DIGESTS_AT_ONCE }, async () => {
    for (const digest of waiting) {
      await tryDigest(env, digest, now);
      if (Date.now() >= now + DIGESTS_RUN_MS) return;
    }
  });
  await Promise.all(makers);
}

/** A digest that fails is tried again later, so that the others need not wait for it. */
async function tryDigest(env: QueryEnv, digest: DigestRow, now: number): Promise<void> {
  const log = (error: unknown): void =>
    console.error(JSON.stringify({ at: "digest", id: digest.id, error: String(error) }));
  try {
    await runDigest(env, digest, now);
  } catch (error) {
    log(error);
    const waited = now - digest.next_at;
    const try_at = now + Math.min(Math.max(waited, DIGEST_RETRY_MS_MIN), DIGEST_RETRY_MS_MAX);
    await putOffDigest(env.DB, digest, { try_at, last_error: FAILED }).catch(log);
  }
}

const FAILED = "Something failed on our side, or took too long. It is tried again, six hours later at the latest.";

async function runDigest(env: QueryEnv, digest: DigestRow, now: number): Promise<void> {
  const project = await requireProject(env.DB, digest.project_id);
  // Of several weeks that were missed only the last one is still of interest.
  const due = Math.max(digest.next_at, weeklyUntil(now, digest, project.time_zone));
  const { notice, last_error } = await makeNotice(env, { project, digest }, due);
  if (notice !== null) {
    await insertDigestNotice(env.DB, digest, notice);
    const message = { kind: "notify", project_id: project.id, notice_ids: [notice.id] } as const;
    await env.NOTIFICATIONS.send(JSON.stringify(message satisfies NotificationMessage));
  }
  await moveDigest(env.DB, digest, { next_at: weeklyAfter(now, digest, project.time_zone), last_error });
}

/** What there is to tell, or why there is nothing: the metric is gone, or cannot be summed up. */
type Made =
  | { readonly notice: { readonly id: string; readonly at: number; readonly body: string }; readonly last_error: null }
  | { readonly notice: null; readonly last_error: string };

async function makeNotice(
  env: QueryEnv,
  { project, digest }: { readonly project: ProjectRow; readonly digest: DigestRow },
  due: number,
): Promise<Made> {
  try {
    const metric = await requireMetric(env.DB, project.id, digest.metric);
    const body = await digestBody(env, { project, metric, digest }, due);
    const id = `digest:${digest.id}:${body.period.from}`;
    return { notice: { id, at: due, body: JSON.stringify(body) }, last_error: null };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    console.warn(JSON.stringify({ at: "digest", id: digest.id, code: error.code, error: error.message }));
    return { notice: null, last_error: error.message };
  }
}
