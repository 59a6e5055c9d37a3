import { customerId, roundText } from "@tidemark/testing/workload";
import { DECIDED_METRIC } from "./project.ts";
import type { Ranks } from "./ranks.ts";

/** A body for `POST /v1/consume` of one unit. */
export function consumeText(id: string, customer: string): string {
  return `{"id":"${id}","customer_id":"${customer}","metric":"${DECIDED_METRIC.slug}","amount":1}`;
}

/** Such bodies, the customers taking turns. */
export function consumeTexts(ranks: Ranks, count: number): readonly string[] {
  return textsOf(ranks, count, consumeText);
}

/** Bodies for `POST /v1/leases`: of units that come back by themselves a second later, so that they do not pile up. */
export function leaseTexts(ranks: Ranks, count: number, want: number): readonly string[] {
  const rest = `"metric":"${DECIDED_METRIC.slug}","want":${want},"holder":"bench","ttl_seconds":1,"return_after_seconds":0`;
  return textsOf(ranks, count, (id, customer) => `{"id":"${id}","customer_id":"${customer}",${rest}}`);
}

/** Each begins with an id, as long as those of events: the load process gives it a new one for each round. */
function textsOf(
  { from, to }: Ranks,
  count: number,
  toText: (id: string, customer: string) => string,
): readonly string[] {
  return Array.from({ length: count }, (_, index) =>
    toText(roundText(0) + roundText(index), customerId(from + (index % (to - from)))),
  );
}
