// oxlint-disable-next-line no-restricted-imports -- Only the type of the environment.
import type { ConsumerEnv } from "@tidemark/consumer";
import { type MeteredMetric, meterName } from "@tidemark/contract";
import { readMetered } from "@tidemark/db/metered";
import { termsOf } from "@tidemark/testing/quota";
import { DECIDED_METRIC, PROJECT_ID } from "./project.ts";
import { customersOf, type Ranks, ranksOf } from "./ranks.ts";

/** Gives the customers that an address names a hard limit for each month, as a person does who sets an allowance. */
export async function putAllowances(url: string, env: ConsumerEnv): Promise<Response> {
  const { searchParams } = new URL(url);
  const about = { customer_id: null, now: Date.now() };
  const [metered] = await readMetered(env.DB, PROJECT_ID, [DECIDED_METRIC.id], about);
  if (metered === undefined) throw new Error(`There is no metric ${DECIDED_METRIC.id}.`);
  const limit = Number(searchParams.get("limit"));
  await Promise.all(customersOf(ranksOf(searchParams)).map((customer) => define(env, customer, metered, limit)));
  return new Response(null, { status: 204 });
}

async function define(
  { METERS }: ConsumerEnv,
  customer_id: string,
  metered: MeteredMetric,
  limit: number,
): Promise<void> {
  const definition = {
    id: "alw_bench",
    metric_id: metered.metric.id,
    terms: termsOf("limit_metered", metered.metric, { base: limit }),
    unavailable: "closed",
    product: null,
  } as const;
  const meter = METERS.get(METERS.idFromName(meterName(PROJECT_ID, customer_id)));
  const address = { project_id: PROJECT_ID, customer_id };
  const reply = await meter.define({ ...address, kind: "set", definition, metered, mode: "keep", replaces: null });
  if (reply.kind === "problem") throw new Error(reply.detail);
}

/** What customers have used, all together, as their meters say. */
export async function readUsed({ METERS }: ConsumerEnv, ranks: Ranks): Promise<number> {
  const replies = customersOf(ranks).map((customer_id) =>
    METERS.get(METERS.idFromName(meterName(PROJECT_ID, customer_id))).balances({ project_id: PROJECT_ID, customer_id }),
  );
  const balances = (await Promise.all(replies)).flatMap((reply) => reply.balances);
  return balances.reduce((sum, { view }) => sum + Number(view.used), 0);
}
