import type { MeterAddress } from "@tidemark/contract";
import type { Allowance, AllowanceInput } from "@tidemark/contract/allowance-schema";
import { completeTerms, type PartialTerms } from "@tidemark/contract/wanted-terms";
import type { QueryEnv } from "../../env.ts";
import { define } from "../definitions/define.ts";
import { newDefinitionId } from "../definitions/new-definition-id.ts";
import { readDefinitions, toHeldNow } from "../definitions/read-definitions.ts";
import { readTerms } from "../definitions/read-terms.ts";
import { requireMetered } from "../definitions/require-metered.ts";
import { readSchedule, readZone } from "../definitions/schedule.ts";
import { requireNamedMetric } from "../metrics/metric.ts";
import { isAllowance, toAllowance } from "./allowance.ts";

/** What a request says of a limit. */
export type WantedLimit = Pick<AllowanceInput, "metric" | "cycle"> & PartialTerms;

/**
 * Sets a customer's allowance of a metric: makes it, or puts it in the place of the one that is there. A
 * customer has one of each metric at most.
 *
 * @throws Problem not_found, invalid_request, conflict, unavailable.
 */
export async function setLimit(
  env: QueryEnv,
  address: MeterAddress,
  { metric: slug, cycle = {}, ...wanted }: WantedLimit,
): Promise<{ readonly allowance: Allowance; readonly isNew: boolean }> {
  const [metric, time_zone] = await Promise.all([
    requireNamedMetric(env.DB, address.project_id, slug),
    readZone(env.DB, address),
  ]);
  // Terms that make no sense are told before a meter is asked.
  const complete = completeTerms(wanted, metric.type);
  const begun = readSchedule(cycle, { schedule: null, now: Date.now(), time_zone }, "/cycle");
  readTerms(complete, metric, begun);
  const definitions = await readDefinitions(env, address);
  const before = definitions.held.find(
    (held) => isAllowance(held) && held.definition.metric_id === metric.id && held.ended_at === null,
  );
  const known = { schedule: before?.definition.terms.schedule ?? null, now: Date.now(), time_zone };
  const definition = {
    id: before?.definition.id ?? newDefinitionId(address, definitions, { prefix: "alw", subject: metric.id }),
    metric_id: metric.id,
    terms: readTerms(complete, metric, readSchedule(cycle, known, "/cycle")),
    unavailable: complete.unavailable,
    product: null,
  };
  const metered = await requireMetered(env.DB, address, metric.id);
  const set = { kind: "set", definition, metered, mode: "keep", replaces: null, only_new: false } as const;
  const balance = await define(env, { ...address, ...set });
  const allowance = toAllowance(await toHeldNow(env, address, balance), metric);
  // What the meter made and the database did not take note of is told as new again.
  return { allowance, isNew: !definitions.rows.some(({ id }) => id === definition.id) };
}
