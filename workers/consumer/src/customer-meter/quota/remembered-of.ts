import type { DecisionsRequest, RememberedDecision } from "@tidemark/contract";
import { formatExact } from "@tidemark/core";
import { addExact } from "@tidemark/core/exact";
import { noBalance } from "./answers.ts";
import type { DecisionRecord } from "./decision-record.ts";
import type { Quotas } from "./quotas.ts";

/** Decisions that are looked at for those about one metric. */
const LOOKED_AT_MAX = 5_000;

/** The remembered decisions about a metric, newest first. */
export function rememberedOf(
  quotas: Quotas,
  { metric, until, limit }: Pick<DecisionsRequest, "metric" | "until" | "limit">,
): RememberedDecision[] {
  const found: RememberedDecision[] = [];
  let looked = 0;
  for (const record of quotas.log.newest(until)) {
    if (found.length >= limit || ++looked > LOOKED_AT_MAX) break;
    const remembered = toRemembered(quotas, record, metric);
    if (remembered !== undefined) found.push(remembered);
  }
  return found;
}

function toRemembered(quotas: Quotas, record: DecisionRecord, slug: string): RememberedDecision | undefined {
  const id = quotas.metrics.bySlug(slug)?.metric.id;
  const answer = record.answers.find(
    ({ metric }) => metric === slug || quotas.metrics.bySlug(metric)?.metric.id === id,
  );
  const isCounted = record.counted.some(({ metric_id }) => metric_id === id);
  if (answer === undefined && !isCounted) return undefined;
  const amounts = askedOf(record).map(([metric_id, units]) => {
    const metric = quotas.metrics.byId(metric_id)?.metric;
    return { metric: metric?.slug ?? metric_id, units: inWords(units, metric?.decimal_places ?? 0) };
  });
  const places = quotas.metrics.bySlug(slug)?.metric.decimal_places ?? 0;
  const paid = record.paid.flatMap(({ parts }) =>
    parts.map(([bucket, units]) => [bucket, inWords(units, places)] as const),
  );
  const shown = record.id?.split("\u0000")[0] ?? null;
  return {
    id: shown,
    kind: record.kind,
    at: record.at,
    amounts,
    paid,
    answer: answer ?? { ...noBalance(slug, "no_allowance"), allowed: true, enforced: false },
  };
}

/** What was asked for, by metric: what was counted, or would have been. */
function askedOf({ counted, extra }: DecisionRecord): readonly (readonly [metricId: string, units: string])[] {
  if (counted.length > 0) return counted.map(({ metric_id, units }) => [metric_id, units]);
  return (extra?.["asked"] ?? []) as readonly (readonly [string, string])[];
}

function inWords(units: string, places: number): string {
  return formatExact(addExact(BigInt(units), 0), places);
}
