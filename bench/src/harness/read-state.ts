// oxlint-disable no-restricted-imports -- Only types of the environment.
import type { ConsumerEnv } from "@tidemark/consumer";
import type { IngestEnv } from "@tidemark/ingest";
import { meterName } from "@tidemark/contract";
import { type CustomerTotals, customerId, WORKLOAD_METRICS, ZONES } from "@tidemark/testing/workload";
import { readUsed } from "./allowances.ts";
import { PROJECT_ID } from "./project.ts";
import { reportProgress } from "./queue-progress.ts";
import { ranksOf } from "./ranks.ts";

const METRIC_IDS = WORKLOAD_METRICS.map((metric) => metric.id);

/** What a benchmark asks of the platform between its turns: how far the queue, D1 and the meters are. */
export async function readState(url: string, env: IngestEnv & ConsumerEnv): Promise<unknown> {
  const { pathname, searchParams } = new URL(url);
  switch (pathname) {
    case "/progress":
      return reportProgress(env.EVENTS);
    case "/flushed":
      return { usageRows: await env.DB.prepare("SELECT COUNT(*) AS rows FROM usage_days").first<number>("rows") };
    case "/totals":
      return readTotals(env, Number(searchParams.get("from")), Number(searchParams.get("to")));
    case "/used":
      return { used: await readUsed(env, ranksOf(searchParams)) };
    default:
      throw new Error(`There is nothing at ${pathname}.`);
  }
}

/** What the meters say, live, of the customers of the ranks `from` to `to`. */
async function readTotals(env: ConsumerEnv, from: number, to: number): Promise<readonly CustomerTotals[]> {
  return Promise.all(Array.from({ length: to - from }, (_, index) => readCustomer(env, customerId(from + index))));
}

async function readCustomer({ METERS }: ConsumerEnv, customer_id: string): Promise<CustomerTotals> {
  const meter = METERS.get(METERS.idFromName(meterName(PROJECT_ID, customer_id)));
  const { days } = await meter.read({
    project_id: PROJECT_ID,
    customer_id,
    metric_ids: METRIC_IDS,
    from_day: 0,
    to_day: 100_000,
  });
  const ofMetric = (id: string) => days.filter((day) => day.metric_id === id);
  const groups = ofMetric("m-zones").flatMap((day) => day.groups);
  const ofZone = (zone: string): number => total(groups.filter((group) => group.labels[0] === zone));
  const events = total(ofMetric("m-calls"));
  if (events !== total(ofMetric("m-attempts")))
    throw new Error(`Two counts of the same events differ for ${customer_id}.`);
  return {
    events,
    units: total(ofMetric("m-units")),
    fees: total(ofMetric("m-fees")),
    zones: ZONES.map(ofZone) as CustomerTotals["zones"],
  };
}

function total(parts: readonly { readonly value: string }[]): number {
  return parts.reduce((sum, part) => sum + Number(part.value), 0);
}
