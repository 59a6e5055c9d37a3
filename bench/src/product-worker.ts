// oxlint-disable-next-line no-restricted-imports -- The product as it is measured: ingest and consumer in one Worker, without what else standalone mounts.
import { type ConsumerEnv, queue, scheduled } from "@tidemark/consumer";
import { meterName } from "@tidemark/contract";
// oxlint-disable-next-line no-restricted-imports -- See above.
import { app as ingest, type IngestEnv } from "@tidemark/ingest";
import { type CustomerTotals, customerId, WORKLOAD_METRICS, ZONES } from "@tidemark/testing/workload";
import { noting, reportProgress } from "./harness/drain.ts";

// oxlint-disable-next-line no-restricted-imports -- See above.
export { CustomerMeter } from "@tidemark/consumer";

type Env = IngestEnv & ConsumerEnv;

/** The counting path, whole: ingest, consumer and meters. Beside it two paths that only read. */
export default {
  async fetch(request, env, context) {
    if (request.method === "POST") return ingest.fetch(request, env, context);
    const { pathname, searchParams } = new URL(request.url);
    if (pathname === "/progress") return reportProgress(env.EVENTS);
    const totals = await readTotals(env, Number(searchParams.get("from")), Number(searchParams.get("to")));
    return Response.json(totals);
  },
  queue: (batch, env) => (batch.queue === "tidemark-events" ? noting(batch, () => queue(batch, env)) : queue(batch, env)),
  scheduled,
} satisfies ExportedHandler<Env, string>;

/** What the meters say of the customers of these ranks. */
async function readTotals(env: Env, from: number, to: number): Promise<readonly CustomerTotals[]> {
  return Promise.all(Array.from({ length: to - from }, (_, index) => readCustomer(env, customerId(from + index))));
}

async function readCustomer({ METERS }: Env, customer: string): Promise<CustomerTotals> {
  const meter = METERS.get(METERS.idFromName(meterName("bench", customer)));
  const metric_ids = WORKLOAD_METRICS.map((metric) => metric.id);
  const { days } = await meter.read({ project_id: "bench", customer_id: customer, metric_ids, from_day: 0, to_day: 100_000 });
  const total = (metric: string): number => days.filter((day) => day.metric_id === metric).reduce((sum, day) => sum + Number(day.value), 0);
  const zones = days.filter((day) => day.metric_id === "m-zones").flatMap((day) => day.groups);
  const ofZone = (zone: string): number => zones.filter((group) => group.labels[0] === zone).reduce((sum, group) => sum + Number(group.value), 0);
  const [events, attempts] = [total("m-calls"), total("m-attempts")];
  if (events !== attempts) throw new Error(`Two counts of the same events differ: ${events} and ${attempts}.`);
  return { events, units: total("m-units"), fees: total("m-fees"), zones: ZONES.map(ofZone) as CustomerTotals["zones"] };
}
