import type { StoredBalance } from "@tidemark/contract";
import { NEAR_LIMIT_CANDIDATES_MAX, NEAR_LIMIT_CONCURRENCY } from "@tidemark/contract/query-limits";
import type { NearLimitAnswer, QuestionOf } from "@tidemark/contract/report-schema";
import { addExact, type Exact, formatExact } from "@tidemark/core/exact";
import { cutShareOf, isNearLimit, NEAR_LIMIT_RULE } from "@tidemark/core/report-rules";
import { readCustomerNames } from "@tidemark/db/customer-names";
import { listNearLimits } from "@tidemark/db/near-limits";
import type { QueryEnv } from "../../env.ts";
import { askMeter } from "../../read-meter.ts";
import { toStanding } from "../definitions/standing.ts";
import { aboutReport, type ReportSubject } from "./report-subject.ts";
import { reportWindow } from "./report-window.ts";

/**
 * The customers who have used most of what their cycle gives them. Meters say when somebody comes near; whether
 * they still are, each one's meter is asked now.
 */
export async function nearLimit(
  env: QueryEnv,
  subject: ReportSubject,
  { days, limit }: Pick<QuestionOf<"near-limit">["params"], "days" | "limit">,
): Promise<NearLimitAnswer> {
  const { project, metric, now } = subject;
  const address = { project_id: project.id, metric_id: metric.id };
  const page = { now, limit: NEAR_LIMIT_CANDIDATES_MAX + 1 };
  const candidates = await listNearLimits(env.DB, address, page);
  const { near, unanswered } = await askMeters(env, subject, candidates.slice(0, NEAR_LIMIT_CANDIDATES_MAX));
  const shown = near.toSorted(byShare).slice(0, limit);
  const names = await readCustomerNames(env.DB, project.id, [...new Set(shown.map(({ customer_id }) => customer_id))]);
  const { from, to, time_zone } = reportWindow(subject, 1);
  return {
    report: "near-limit",
    ...aboutReport(subject, { days, from, to, time_zone }, false),
    rule: NEAR_LIMIT_RULE,
    unanswered,
    more: candidates.length > NEAR_LIMIT_CANDIDATES_MAX,
    count: near.length,
    data: shown.map((one, index) => ({
      rank: index + 1,
      customer_id: one.customer_id,
      name: names.get(one.customer_id) ?? null,
      ...toRow(one),
    })),
  };
}

/** A balance of which most is used. */
interface NearBalance {
  readonly customer_id: string;
  readonly stored: StoredBalance;
  readonly used: Exact;
  /** Of the cycle: what its base grants, and what was carried or granted besides. */
  readonly allowance: Exact;
}

async function askMeters(
  env: QueryEnv,
  { project, metric }: ReportSubject,
  customerIds: readonly string[],
): Promise<{ readonly near: readonly NearBalance[]; readonly unanswered: number }> {
  const near: NearBalance[] = [];
  let unanswered = 0;
  for (let at = 0; at < customerIds.length; at += NEAR_LIMIT_CONCURRENCY) {
    const asked = customerIds.slice(at, at + NEAR_LIMIT_CONCURRENCY).map(async (customer_id) => {
      const address = { project_id: project.id, customer_id };
      const reply = await askMeter(env, address, async (meter): Promise<Balances> => meter.balances(address));
      return reply?.balances.flatMap((stored) => toNear(customer_id, metric.id, stored));
    });
    for (const balances of await Promise.all(asked)) {
      if (balances === undefined) unanswered++;
      else near.push(...balances);
    }
  }
  return { near, unanswered };
}

/** What is looked at of a meter's answer. RPC's own types are too deep to be inferred. */
interface Balances {
  readonly balances: readonly StoredBalance[];
}

function toNear(customerId: string, metricId: string, stored: StoredBalance): readonly NearBalance[] {
  const { view, definition, ended_at } = stored;
  if (definition.metric_id !== metricId || ended_at !== null || view.limit === null) return [];
  const allowance = addExact(view.limit, view.carried);
  return isNearLimit(view.used, allowance) ? [{ customer_id: customerId, stored, used: view.used, allowance }] : [];
}

/** The fullest first, and before them who has nothing to use; equals by customer and label. */
function byShare(a: NearBalance, b: NearBalance): number {
  const left = BigInt(a.used) * sizeOf(b.allowance);
  const right = BigInt(b.used) * sizeOf(a.allowance);
  const named = (one: NearBalance): string => `${one.customer_id} ${one.stored.label}`;
  return Number(right > left) - Number(right < left) || (named(a) < named(b) ? -1 : 1);
}

function sizeOf(allowance: Exact): bigint {
  return BigInt(allowance) > 0n ? BigInt(allowance) : 0n;
}

type Row = NearLimitAnswer["data"][number];

function toRow({ stored, used, allowance }: NearBalance): Omit<Row, "rank" | "customer_id" | "name"> {
  const standing = toStanding(stored);
  return {
    balance_id: stored.definition.id,
    product: stored.definition.product?.slug ?? null,
    label: standing.label,
    enforcement: stored.definition.terms.enforcement,
    used: standing.used,
    reserved: standing.reserved,
    allowance: formatExact(allowance, stored.metric.decimal_places),
    share: cutShareOf(used, allowance),
    remaining: standing.remaining ?? "0",
    cycle: standing.cycle,
  };
}
