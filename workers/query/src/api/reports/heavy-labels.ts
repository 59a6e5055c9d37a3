import { LABEL_LIMITS } from "@tidemark/contract";
import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import { HEAVY_LABELS_MAX } from "@tidemark/contract/query-limits";
import type { HeavyLabelsAnswer, QuestionOf } from "@tidemark/contract/report-schema";
import { planDays } from "@tidemark/core/day-plan";
import { shareOf } from "@tidemark/core/report-rules";
import { type LabelTotal, readHeavyLabels } from "@tidemark/db/label-totals";
import { invalid } from "../../plumbing/issues.ts";
import { clamp, toQuantity } from "../../quantity.ts";
import { EVERYTHING } from "../usage/counters.ts";
import { labelScope } from "./label-scope.ts";
import { rankUsers } from "./rank-users.ts";
import { aboutReport, readViews, type ReportSubject, requireAdditive } from "./report-subject.ts";
import { reportWindow } from "./report-window.ts";

const REST = LABEL_LIMITS.otherLabel;

/**
 * What the top customers' usage is made of, by a label.
 *
 * @throws Problem invalid_request for a label that the metric does not have, and one that does not add up.
 */
export async function heavyLabels(
  db: D1Database,
  subject: ReportSubject,
  { days, limit, label: asked }: Omit<QuestionOf<"heavy-labels">["params"], "metric">,
): Promise<HeavyLabelsAnswer> {
  const { metric } = subject;
  const aggregation = requireAdditive(metric);
  const label = requireLabel(metric, asked);
  const { span, from, to, time_zone } = reportWindow(subject, days);
  const plan = planDays([span]);
  const views = await readViews(db, subject, { ...EVERYTHING, labels: [label] });
  const ranked = await rankUsers(db, { ...subject, views, plan }, limit);
  const ids = ranked.map(({ customer_id }) => customer_id);
  const scope = labelScope(subject, { views, plan, aggregation }, ids);
  const totals = await readHeavyLabels(db, scope, { top: HEAVY_LABELS_MAX, rest: REST });
  const partsOf = Map.groupBy(totals, ({ customer_id }) => customer_id);
  return {
    report: "heavy-labels",
    ...aboutReport(subject, { days, from, to, time_zone }, false),
    label,
    rule: `The ${HEAVY_LABELS_MAX} largest values of ${label} of each customer; the rest together is "${REST}".`,
    data: ranked.map(({ customer_id, name }, index) => ({
      rank: index + 1,
      customer_id,
      name,
      ...toParts(partsOf.get(customer_id) ?? [], metric),
    })),
  };
}

/** The total is that of the parts, so that they add up to it also while usage changes. */
function toParts(
  parts: readonly LabelTotal[],
  metric: MetricDefinition,
): Pick<HeavyLabelsAnswer["data"][number], "total" | "labels"> {
  const total = clamp(
    parts.reduce((sum, part) => sum + part.total, 0n),
    metric,
  );
  const labels = parts.toSorted(byTotal).map((part) => ({
    label: part.label,
    value: toQuantity(part.total, metric),
    share: shareOf(clamp(part.total, metric), total),
  }));
  return { total: toQuantity(total, metric), labels };
}

/** The largest first, the rest last; equals by their text. */
function byTotal(a: LabelTotal, b: LabelTotal): number {
  const last = Number(a.label === REST) - Number(b.label === REST);
  return last || Number(b.total > a.total) - Number(b.total < a.total) || (a.label < b.label ? -1 : 1);
}

function requireLabel({ group_by }: Pick<MetricDefinition, "group_by">, asked: string | undefined): string {
  const label = asked ?? group_by[0];
  if (label !== undefined && group_by.includes(label)) return label;
  const detail =
    group_by.length === 0
      ? "This metric is not split by any label; give it `group_by` with PATCH /v1/metrics/{slug}, from when on it is."
      : `Must be one of the metric's labels: ${group_by.join(", ")}.`;
  throw invalid([{ pointer: "/label", code: "unknown_label", detail }]);
}
