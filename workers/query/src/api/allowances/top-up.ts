import type { MeterAddress, RawAmount } from "@tidemark/contract";
import type { TopUp } from "@tidemark/contract/allowance-schema";
import { toUnits } from "@tidemark/contract/wanted-terms";
import { formatExact } from "@tidemark/core/exact";
import { sha256 } from "@tidemark/http/digest";
import type { QueryEnv } from "../../env.ts";
import { toOptionalInstant } from "../../plumbing/instant.ts";
import { invalid } from "../../plumbing/issues.ts";
import { newId } from "../../plumbing/new-id.ts";
import { define } from "../definitions/define.ts";
import { readInstant } from "../definitions/schedule.ts";
import { toStanding } from "../definitions/standing.ts";
import { requireNamedMetric } from "../metrics/metric.ts";

/** What a request says of units that are granted once. */
export interface WantedTopUp {
  readonly metric: string;
  readonly amount: RawAmount;
  readonly reason: string;
  readonly expires_at: string | null;
  /** The `Idempotency-Key`: the same one is the same top-up, for good. */
  readonly key: string | undefined;
}

/** Characters of a key's hash in an id. */
const HASH_LENGTH = 24;

/**
 * Grants units, or takes some away.
 *
 * @throws Problem not_found, invalid_request, no_allowance, conflict, unavailable.
 */
export async function topUp(env: QueryEnv, address: MeterAddress, wanted: WantedTopUp): Promise<TopUp> {
  const { key, reason } = wanted;
  const metric = await requireNamedMetric(env.DB, address.project_id, wanted.metric);
  const units = toUnits(wanted.amount, metric.decimal_places);
  if (typeof units === "string") throw fault("/amount", units);
  if (units === 0) throw fault("/amount", "Must not be 0.");
  const expiresAt = wanted.expires_at === null ? null : readInstant(wanted.expires_at, "/expires_at");
  if (expiresAt !== null && units < 0) throw fault("/expires_at", "Goes only with an amount above 0.");
  if (expiresAt !== null && expiresAt <= Date.now()) throw fault("/expires_at", "Must not be over.");
  const id = key === undefined ? newId("top") : `top_${(await sha256(key)).slice(0, HASH_LENGTH)}`;
  const grant = { id, metric_id: metric.id, units, expires_at: expiresAt, reason };
  const balance = await define(env, { ...address, kind: "grant", ...grant });
  return {
    id,
    allowance: balance.definition.id,
    metric: metric.slug,
    amount: formatExact(units, metric.decimal_places),
    reason,
    expires_at: toOptionalInstant(expiresAt),
    ...toStanding(balance),
  };
}

function fault(pointer: string, detail: string): Error {
  return invalid([{ pointer, code: "invalid_value", detail }]);
}
