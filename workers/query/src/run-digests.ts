import type { NotificationMessage } from "@tidemark/contract";
import { DIGESTS_PER_RUN_MAX } from "@tidemark/contract/query-limits";
import { weeklyAfter, weeklyUntil } from "@tidemark/core/weekly";
import { type DigestRow, insertDigestNotice, listDueDigests, moveDigest } from "@tidemark/db/digests";
import type { ProjectRow } from "@tidemark/db/projects";
import { Problem } from "@tidemark/http/problem";
import { requireMetric } from "./api/metrics/metric.ts";
import { digestBody } from "./digest-body.ts";
import type { QueryEnv } from "./env.ts";
import { requireProject } from "./project.ts";

/**
 * Makes the digests that are due. Each becomes a notice whose id names its week, then a message that has it
 * delivered, and only then is it due again in a week. Whatever is cut off in between is done again, and changes
 * nothing that was done.
 */
export async function runDigests(env: QueryEnv, now: number): Promise<void> {
  for (const digest of await listDueDigests(env.DB, now, DIGESTS_PER_RUN_MAX)) {
    try {
      await runDigest(env, digest, now);
    } catch (error) {
      // It stays due; the others must not wait for it.
      console.error(JSON.stringify({ at: "digest", id: digest.id, error: String(error) }));
    }
  }
}

async function runDigest(env: QueryEnv, digest: DigestRow, now: number): Promise<void> {
  const project = await requireProject(env.DB, digest.project_id);
  // Of several weeks that were missed only the last one is still of interest.
  const due = Math.max(digest.next_at, weeklyUntil(now, digest, project.time_zone));
  const notice = await makeNotice(env, { project, digest }, due);
  if (notice !== undefined) {
    await insertDigestNotice(env.DB, digest, notice);
    const message = { kind: "notify", project_id: project.id, notice_ids: [notice.id] } as const;
    await env.NOTIFICATIONS.send(JSON.stringify(message satisfies NotificationMessage));
  }
  await moveDigest(env.DB, digest, weeklyAfter(now, digest, project.time_zone));
}

/** @returns `undefined` where there is nothing to tell of: the metric is gone, or cannot be summed up. */
async function makeNotice(
  env: QueryEnv,
  { project, digest }: { readonly project: ProjectRow; readonly digest: DigestRow },
  due: number,
): Promise<{ readonly id: string; readonly at: number; readonly body: string } | undefined> {
  try {
    const metric = await requireMetric(env.DB, project.id, digest.metric);
    const body = await digestBody(env, { project, metric, digest }, due);
    return { id: `digest:${digest.id}:${body.period.from}`, at: due, body: JSON.stringify(body) };
  } catch (error) {
    if (!(error instanceof Problem)) throw error;
    console.warn(JSON.stringify({ at: "digest", id: digest.id, code: error.code, error: error.message }));
    return undefined;
  }
}
