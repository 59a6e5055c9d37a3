import type { QueryAnswer, QueryQuestion, QueryRow } from "@tidemark/contract/query-schema";
import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import type { Span } from "@tidemark/core/buckets";
import { readNames } from "@tidemark/db/ad-hoc-query";
import type { QueryEnv } from "../../env.ts";
import { toInstantText, toOptionalInstant } from "../../plumbing/instant.ts";
import { requireProject } from "../../project.ts";
import { snapshot } from "../../snapshot.ts";
import { requireNamedMetric } from "../metrics/metric.ts";
import { readCounters } from "../usage/counters.ts";
import { readCells } from "./read-cells.ts";
import { type Period, readPeriod } from "./read-period.ts";
import { type ReadQuestion, readQuestion } from "./read-question.ts";
import { planSlots } from "./time-slots.ts";
import { isApproximate, type SpanRoles, toRows } from "./to-rows.ts";

/**
 * Answers a question over the days that are kept of each customer. The same question is answered once, until
 * usage or the metric changes.
 *
 * @throws Problem invalid_request.
 */
export async function runQuery(
  { DB }: Pick<QueryEnv, "DB">,
  projectId: string,
  question: QueryQuestion,
): Promise<QueryAnswer> {
  const now = Date.now();
  const [project, metric] = await Promise.all([
    requireProject(DB, projectId),
    requireNamedMetric(DB, projectId, question.metric),
  ]);
  const read = readQuestion(question, metric);
  const period = readPeriod(question.range, { now, tz: question.tz, projectZone: project.time_zone });
  const subject: Subject = {
    project_id: projectId,
    metric,
    question: read,
    customers: question.filter.customers ?? null,
  };
  const key = ["query", metric.id, question, period];
  return snapshot(DB, projectId, key, () => answer(DB, subject, { period, now, limit: question.limit }));
}

interface Subject {
  readonly project_id: string;
  readonly metric: MetricDefinition;
  readonly question: ReadQuestion;
  readonly customers: readonly string[] | null;
}

async function answer(
  db: D1Database,
  { project_id, metric, question, customers }: Subject,
  { period, now, limit }: { readonly period: Period; readonly now: number; readonly limit: number },
): Promise<QueryAnswer> {
  const { time_zone, span } = period;
  const { spans, roles } = chooseSpans(period, question.compares);
  const byDay = question.measures.includes("active_days");
  const slots = planSlots(spans, question.times, { timeZone: time_zone, byDay, now });
  const counters = (await readCounters(db, project_id, [metric])).get(metric.id) ?? [];
  const request = { project_id, metric, counters, question, customer_ids: customers, span, slots, now };
  const { groups, rows_read, overflow } = await readCells(db, request);
  const rows = toRows(groups, request, roles);
  return {
    metric: metric.slug,
    name: metric.name,
    unit: metric.unit,
    time_zone,
    from: toInstantText(span.start),
    to: toInstantText(span.end),
    previous_from: question.compares ? toInstantText(period.previous.start) : null,
    conditions: {
      customers: customers?.length ?? null,
      labels: Object.fromEntries(question.only.map(([label, values]) => [label, [...values]])),
      segment: question.segment,
    },
    incomplete_from: toOptionalInstant(period.incomplete_from),
    as_of: toInstantText(now),
    approximate: isApproximate(groups, question),
    overflow,
    rows_read,
    total_rows: rows.length,
    truncated: rows.length > limit,
    columns: [...question.columns],
    data: await nameCustomers(db, { project_id, question }, rows.slice(0, limit)),
  };
}

/** The spans to read, the one that is asked about first. */
function chooseSpans(
  { span, previous, compared }: Period,
  compares: boolean,
): { readonly spans: readonly Span[]; readonly roles: SpanRoles } {
  if (!compares) return { spans: [span], roles: { previous: null, compared: null } };
  if (compared === null) return { spans: [span, previous], roles: { previous: 1, compared: null } };
  if (compared.current.end === span.end)
    return { spans: [span, previous], roles: { previous: 1, compared: { current: 0, previous: 1 } } };
  return {
    spans: [span, previous, compared.current, compared.previous],
    roles: { previous: 1, compared: { current: 2, previous: 3 } },
  };
}

async function nameCustomers(
  db: D1Database,
  { project_id, question }: Pick<Subject, "project_id" | "question">,
  rows: readonly QueryRow[],
): Promise<QueryRow[]> {
  if (!question.byCustomer) return [...rows];
  const ids = [...new Set(rows.map(({ group }) => group["customer"] ?? ""))];
  const names = await readNames(db, project_id, ids);
  return rows.map(({ group, ...row }) => ({ group, name: names.get(group["customer"] ?? "") ?? null, ...row }));
}
