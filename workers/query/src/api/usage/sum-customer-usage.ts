import type { DayPlan, UsageSum } from "@tidemark/core/day-plan";
import { daysOfPlan, spreadDays } from "@tidemark/core/day-plan";
import { type DayMark, sumUsage } from "@tidemark/db/usage";
import type { QueryEnv } from "../../env.ts";
import { readMeter } from "../../read-meter.ts";

export interface CustomerScope {
  readonly project_id: string;
  readonly customer_id: string;
  readonly metric_ids: readonly string[];
}

export interface UsageFigures {
  readonly sums: readonly UsageSum[];
  readonly rejected: number;
  /** When the figures were read, in milliseconds. */
  readonly as_of: number;
  readonly live: boolean;
  /** Whether the customer has any day in the plan, counted or not. */
  readonly known: boolean;
}

/**
 * One customer's usage: what the database has, and the days that the meter knows better, told apart by
 * their versions. The meter is asked first, so that what it sends to the database meanwhile is not missed.
 */
export async function sumCustomerUsage(
  env: QueryEnv,
  scope: CustomerScope,
  question: { readonly plan: DayPlan; readonly labelIndexes: readonly number[] | null; readonly rowsMax: number },
): Promise<UsageFigures> {
  const { plan, labelIndexes, rowsMax } = question;
  const { project_id, customer_id, metric_ids } = scope;
  const now = Date.now();
  const span = daysOfPlan(plan);
  if (span === undefined) return { sums: [], rejected: 0, as_of: now, live: false, known: false };
  const reply = await readMeter(env, { address: { project_id, customer_id }, metric_ids, ...span }, now);
  const live = reply?.days ?? [];
  const stored = await sumUsage(
    env.DB,
    { scope: { project_id, metric_ids, customer_ids: [customer_id] }, plan, labelIndexes, live, limit: rowsMax + 1 },
    span,
  );
  const marks = new Map(stored.marks.map((mark) => [keyOf(mark), mark]));
  const newer = live.filter((day) => day.version > (marks.get(keyOf(day))?.version ?? -1));
  for (const day of newer) marks.set(keyOf(day), day);
  return {
    sums: addSums([...stored.sums, ...spreadDays(newer, plan, labelIndexes)]),
    rejected: [...marks.values()].reduce((sum, { rejected }) => sum + rejected, 0),
    as_of: reply?.as_of ?? now,
    live: reply !== undefined,
    known: marks.size > 0,
  };
}

function keyOf({ metric_id, day }: Pick<DayMark, "metric_id" | "day">): string {
  return `${day} ${metric_id}`;
}

function addSums(parts: readonly UsageSum[]): readonly UsageSum[] {
  const sums = new Map<string, UsageSum>();
  for (const part of parts) {
    const key = `${part.bucket} ${part.metric_id} ${part.group}`;
    const known = sums.get(key);
    sums.set(key, known === undefined ? part : { ...part, total: known.total + part.total });
  }
  return [...sums.values()];
}
