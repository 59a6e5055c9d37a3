import type { MeterAddress, MeteredMetric, RememberedDecision, Threshold } from "@tidemark/contract";
import type { ExplainedDecision, Explanation } from "@tidemark/contract/explain-schema";
import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import { OVERAGE } from "@tidemark/core/bucket";
import { readMetered } from "@tidemark/db/metered";
import type { QueryEnv } from "../../env.ts";
import { toInstantText, toOptionalInstant } from "../../plumbing/instant.ts";
import { requireMeter } from "../../quota-meter.ts";
import { toBalance } from "../balances/to-balance.ts";
import { requireDefinitions } from "../definitions/read-definitions.ts";
import { toCycle } from "../definitions/standing.ts";
import { requireMetric } from "../metrics/metric.ts";
import { toLineAnswer } from "../thresholds/threshold.ts";
import { because } from "./because.ts";

export interface ExplainQuestion {
  /** A slug. */
  readonly metric: string;
  /** The latest decisions until then, in milliseconds. */
  readonly until: number;
  /** Only the decision with this id; `null`: the latest. */
  readonly id: string | null;
}

/** Decisions that are shown, and those among which one is looked for. */
const SHOWN = 20;
const SEARCHED = 2_000;

/**
 * Everything that a customer's decisions about a metric follow from, and the decisions themselves.
 *
 * @throws Problem not_found, unavailable.
 */
export async function answerExplanation(
  env: QueryEnv,
  address: MeterAddress,
  { metric: slug, until, id }: ExplainQuestion,
): Promise<Explanation> {
  const { project_id, customer_id } = address;
  const metric = await requireMetric(env.DB, project_id, slug);
  const request = { ...address, metric: metric.slug, until, limit: id === null ? SHOWN : SEARCHED };
  const [definitions, [metered], decisions] = await Promise.all([
    requireDefinitions(env, address),
    readMetered(env.DB, project_id, [metric.id], { customer_id, now: Date.now() }),
    requireMeter(env, address, async (meter) => (await meter.decisions(request)) as readonly RememberedDecision[]),
  ]);
  const balances = definitions.held
    .filter(({ definition }) => definition.metric_id === metric.id)
    .flatMap((held) => held.balances.map((balance) => toBalance(balance, metric.slug)));
  return {
    customer_id,
    metric: metric.slug,
    as_of: toInstantText(definitions.as_of),
    counts: toCounts(metered, metric),
    balances,
    thresholds: (metered?.thresholds ?? []).map((threshold) => toThreshold(threshold, metric.decimal_places)),
    decisions: decisions.filter((decision) => id === null || decision.id === id).map(toDecision),
  };
}

/** By what rules is counted now: a version that takes effect later has none of it yet. */
function toCounts(metered: MeteredMetric | undefined, definition: MetricDefinition): Explanation["counts"] {
  const { aggregation, event_matchers, filters, value_property, distinct_by } = (metered?.metric ??
    definition) as MetricDefinition;
  return {
    version: metered?.metric.version ?? definition.version,
    from: toOptionalInstant(metered?.metric.counts_from ?? null),
    aggregation,
    event_matchers,
    filters,
    value_property,
    distinct_by,
  };
}

function toThreshold(
  { id, version, name, operator, line }: Threshold,
  places: number,
): Explanation["thresholds"][number] {
  return { id, version, name, operator, ...toLineAnswer(line, places) };
}

function toDecision(decision: RememberedDecision): ExplainedDecision {
  const { allowed, reason, limit, carried, used, reserved, remaining, overage, enforcement, enforced, cycle } =
    decision.answer;
  return {
    id: decision.id,
    kind: decision.kind,
    at: toInstantText(decision.at),
    allowed,
    because: because(decision),
    reason: reason ?? null,
    amounts: decision.amounts.map(({ metric, units }) => ({ metric, amount: units })),
    paid: decision.paid.map(([bucket, units]) => ({ bucket: bucket === OVERAGE ? null : bucket, units })),
    limit,
    carried,
    used,
    reserved,
    remaining,
    overage,
    enforcement,
    enforced,
    cycle: cycle === null ? null : toCycle({ start: Date.parse(cycle.start), end: Date.parse(cycle.end) }),
  };
}
