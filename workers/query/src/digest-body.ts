import type { DigestBody } from "@tidemark/contract/digest-schema";
import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import { DIGEST_BYTES_MAX, DIGEST_ROWS_MAX } from "@tidemark/contract/query-limits";
import type { ComparedAnswer, DormantAnswer, NearLimitAnswer } from "@tidemark/contract/report-schema";
import { changeOf } from "@tidemark/core/change";
import { planDays } from "@tidemark/core/day-plan";
import type { DigestRow } from "@tidemark/db/digests";
import type { ProjectRow } from "@tidemark/db/projects";
import { Problem } from "@tidemark/http/problem";
import { changedCustomers } from "./api/reports/changed-customers.ts";
import { dormantCustomers } from "./api/reports/dormant-customers.ts";
import { nearLimit } from "./api/reports/near-limit.ts";
import { readViews, type ReportSubject } from "./api/reports/report-subject.ts";
import { datesOf, joinDays, reportWindow } from "./api/reports/report-window.ts";
import { readProjectFigures } from "./api/usage/read-project-figures.ts";
import type { QueryEnv } from "./env.ts";
import { toInstantText } from "./plumbing/instant.ts";
import { clamp, toQuantity } from "./quantity.ts";

const WEEK = 7;

/** A digest to be made, of a project's metric. */
export interface DigestSubject {
  readonly project: ProjectRow;
  readonly metric: MetricDefinition;
  readonly digest: Pick<DigestRow, "id" | "name">;
}

/**
 * What a digest says that is due at an instant: of the seven whole days before its day, what the reports of the same
 * names say then. Who is near a limit is as of now.
 *
 * @throws Problem conflict for a distinct count with more ids than can be united.
 */
export async function digestBody(
  env: QueryEnv,
  { project, metric, digest }: DigestSubject,
  due: number,
): Promise<DigestBody> {
  const subject = { project, metric, now: due };
  const now = Date.now();
  const asked = { days: WEEK, limit: DIGEST_ROWS_MAX };
  const { time_zone, days } = reportWindow(subject, 2 * WEEK + 1);
  const [total, grew, dropped, dormant, near] = await Promise.all([
    totalsOf(env.DB, subject),
    changedCustomers(env.DB, subject, { ...asked, report: "growing", whole: true }),
    changedCustomers(env.DB, subject, { ...asked, report: "dropping", whole: true }),
    dormantCustomers(env.DB, subject, asked),
    // All of them: customers are counted, and one can have several balances.
    nearLimit(env, { ...subject, now }, { ...asked, limit: Infinity }),
  ]).catch(rephrase);
  return fit({
    digest_id: digest.id,
    digest: digest.name,
    metric: metric.slug,
    name: metric.name,
    unit: metric.unit,
    period: datesOf(joinDays(days.slice(WEEK, 2 * WEEK)), time_zone),
    time_zone,
    as_of: toInstantText(now),
    approximate: total.approximate || [grew, dropped, dormant].some(({ approximate }) => approximate),
    total: total.said,
    grew: toCompared(grew),
    dropped: toCompared(dropped),
    went_quiet: toQuiet(dormant),
    near_limits: toNear(near),
  });
}

/** What all customers used together in the week, and in the week before. */
async function totalsOf(
  db: D1Database,
  subject: ReportSubject,
): Promise<{ readonly said: DigestBody["total"]; readonly approximate: boolean }> {
  const { project, metric } = subject;
  const { days } = reportWindow(subject, 2 * WEEK + 1);
  const plan = planDays([joinDays(days.slice(0, WEEK)), joinDays(days.slice(WEEK, 2 * WEEK))]);
  const views = await readViews(db, subject);
  const { aggregation } = metric;
  const question = { project_id: project.id, aggregation, plan, views, rowsMax: 2 };
  const { figures } = await readProjectFigures(db, question);
  const [previous, value] = [0, 1].map((week) => figures.find(({ bucket }) => bucket === week)?.total);
  return {
    said: {
      value: toQuantity(value, metric),
      previous: toQuantity(previous, metric),
      change: changeOf(clamp(value ?? 0n, metric), clamp(previous ?? 0n, metric)),
    },
    approximate: figures.some(({ approximate }) => approximate),
  };
}

function toCompared({ count, data }: ComparedAnswer): DigestBody["grew"] {
  const rows = data.map(({ customer_id, name, value, previous, change }) => ({
    customer_id,
    name,
    value,
    previous,
    change,
  }));
  return { count, rows };
}

function toQuiet({ count, data }: DormantAnswer): DigestBody["went_quiet"] {
  const rows = data.map(({ customer_id, name, total: value, last_seen_at, silent_days }) => ({
    customer_id,
    name,
    value,
    last_seen_at,
    silent_days,
  }));
  return { count, rows };
}

function toNear({ data, unanswered, more }: NearLimitAnswer): DigestBody["near_limits"] {
  const count = new Set(data.map(({ customer_id }) => customer_id)).size;
  const rows = data.slice(0, DIGEST_ROWS_MAX).map(({ customer_id, name, label, used: value, allowance, share }) => ({
    customer_id,
    name,
    label,
    value,
    allowance,
    share,
  }));
  return { count, rows, unanswered, more };
}

/** With fewer rows where they are so long that the digest would not be a message any more. */
function fit(body: DigestBody): DigestBody {
  let fitted = body;
  for (let rows = DIGEST_ROWS_MAX - 1; rows > 0 && sizeOf(fitted) > DIGEST_BYTES_MAX; rows--) {
    fitted = {
      ...body,
      grew: cut(body.grew, rows),
      dropped: cut(body.dropped, rows),
      went_quiet: cut(body.went_quiet, rows),
      near_limits: cut(body.near_limits, rows),
    };
  }
  return fitted;
}

function cut<List extends { readonly rows: readonly unknown[] }>(list: List, max: number): List {
  return { ...list, rows: list.rows.slice(0, max) };
}

function sizeOf(body: DigestBody): number {
  return new TextEncoder().encode(JSON.stringify(body)).length;
}

/** Reports say which parameter to change; a digest has none. */
function rephrase(error: unknown): never {
  if (!(error instanceof Problem) || error.code !== "invalid_request") throw error;
  throw new Problem(
    "conflict",
    "This metric counts more distinct values than a digest can unite: make one of a metric that counts or sums.",
  );
}
