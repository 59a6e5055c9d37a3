import { decidedCounter, type EventColumns } from "@tidemark/contract";
import type { Exact } from "@tidemark/core";
import type { Books } from "../books.ts";
import type { DecisionRecord } from "./decision-record.ts";
import { afterAllOf, endOf } from "./end-of.ts";
import type { Quotas } from "./quotas.ts";

/**
 * Events that bring the id of an earlier decision complete it. What the decision counted of a metric that the
 * event counts in is taken back from the decision's counter, up to what the event counts: the event has the labels,
 * and the archive has the event. A distinct value, a maximum or a minimum may stand in both.
 *
 * @returns the matches that balances have counted when they were decided about.
 */
export function completeEvents(
  quotas: Quotas,
  books: Books,
  columns: EventColumns,
  isFresh: Uint8Array,
  version: number,
): ReadonlySet<number> {
  const { fingerprints, matches, series, values } = columns;
  const large = new Map(columns.large);
  const decided = new Set<number>();
  const records = new Map<number, DecisionRecord | undefined>();
  for (let match = 0; 2 * match < matches.length; match++) {
    const event = matches[2 * match] ?? 0;
    const ref = series[matches[2 * match + 1] ?? 0];
    if (isFresh[event] !== 1 || ref === undefined) continue;
    const metricId = ref.of ?? ref.metric_id;
    if (!records.has(event))
      records.set(event, quotas.log.findByHash(fingerprints[3 * event] ?? 0, fingerprints[3 * event + 1] ?? 0));
    const record = countingOf(quotas, records.get(event));
    const counted = record?.counted.find(({ metric_id }) => metric_id === metricId);
    if (record === undefined || counted === undefined) {
      // What is still reserved for this event is not to be counted a second time.
      quotas.markCounted(records.get(event)?.id ?? null, metricId);
      continue;
    }
    decided.add(match);
    const value = valueOf(values[match] ?? NaN, large.get(match));
    if (value === undefined || (ref.aggregation !== "count" && ref.aggregation !== "sum")) continue;
    const { labels, segments, counter_id } = counted;
    const counter = { metric_id: decidedCounter(counter_id), aggregation: ref.aggregation, labels, segments };
    books.takeBack(counter, value, counted.at ?? record.at, version);
  }
  return decided;
}

function valueOf(plain: number, large: bigint | undefined): Exact | undefined {
  if (Number.isNaN(plain)) return undefined;
  return Number.isFinite(plain) ? plain : large;
}

/** What counted under an id: the consume, at once or after all, or the end of a reservation. */
function countingOf({ log }: Quotas, record: DecisionRecord | undefined): DecisionRecord | undefined {
  if (record === undefined || record.id === null || record.counted.length > 0) return record;
  const end = record.kind === "reserve" ? log.find(endOf(record.id)) : undefined;
  return end !== undefined && end.counted.length > 0 ? end : log.find(afterAllOf(record.id));
}
