import type { MeterAddress } from "@tidemark/contract";
import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import type { Statement, Statements } from "@tidemark/contract/statement-schema";
import { formatExact } from "@tidemark/core/exact";
import type { QueryEnv } from "../../env.ts";
import { readCursor, toPage } from "../../plumbing/cursor.ts";
import { toInstantText, toOptionalInstant } from "../../plumbing/instant.ts";
import { metricsOf } from "../definitions/metrics-of.ts";
import { type CustomerDefinitions, requireDefinitions } from "../definitions/read-definitions.ts";
import { toCycle } from "../definitions/standing.ts";
import type { ChargedCycle } from "./charged-cycle.ts";
import { collectCycles, readEarlier } from "./collect-cycles.ts";
import { NO_METRIC, rateCycle } from "./rate-cycle.ts";

/** Which of a customer's statements are wanted. */
export interface StatementsQuestion {
  /** Only cycles that begin at this instant, in milliseconds; `null`: all. */
  readonly cycle: number | null;
  readonly limit: number;
  readonly cursor: string | undefined;
}

const LIST = "statements";
/** Later than every cycle ends. */
const END_OF_TIME = Number.MAX_SAFE_INTEGER;

/**
 * What each subscription and allowance of a customer came to in each cycle, latest first.
 *
 * @throws Problem not_found, invalid_cursor, unavailable.
 */
export async function answerStatements(
  env: QueryEnv,
  address: MeterAddress,
  { cycle, limit, cursor }: StatementsQuestion,
): Promise<Statements> {
  // A page goes on behind the last end of the one before, and so many of those that have the same.
  const [end = END_OF_TIME, skip = 0] = (readCursor(cursor, LIST, ["number", "number"]) ?? []).map(Number);
  const definitions = await requireDefinitions(env, address);
  const before = cursor === undefined ? END_OF_TIME : end + 1;
  const found =
    cycle === null
      ? (await collectCycles(env, address, definitions, { before, limit: skip + limit + 1 })).slice(skip)
      : (await collectBeginning(env, address, definitions, { cycle, before })).slice(skip);
  const page = toPage(found, limit, LIST, (last) => {
    const same = found.slice(0, limit).filter((one) => one.end === last.end).length;
    return [last.end, last.end === end ? skip + same : same];
  });
  const [metricOf, earlierOf] = await Promise.all([
    metricsOf(env.DB, address.project_id, page.rows),
    readEarlier(env, address, definitions, page.rows.filter(needsEarlier)),
  ]);
  const data = page.rows.map((row) => toStatement(row, metricOf(row), earlierOf(row)));
  return { data, next_cursor: page.next_cursor, as_of: toInstantText(definitions.as_of) };
}

/** Cycles of a call where one's beginning has to be looked for. */
const SEARCHED = 1_000;

/** Cycles that begin at an instant: no other way leads to them than from the latest back to it. */
async function collectBeginning(
  env: QueryEnv,
  address: MeterAddress,
  definitions: CustomerDefinitions,
  { cycle, before }: { readonly cycle: number; readonly before: number },
): Promise<readonly ChargedCycle[]> {
  const found: ChargedCycle[] = [];
  for (let until = before; ;) {
    const some = await collectCycles(env, address, definitions, { before: until, limit: SEARCHED });
    const last = some.at(-1);
    const isLast = last === undefined || some.length < SEARCHED || last.end <= cycle;
    // Some that end with the last one may be missing: they are read again, unless there is nothing else.
    const whole = isLast ? some : some.filter(({ end }) => end > last.end);
    const taken = whole.length === 0 ? some : whole;
    found.push(...taken.filter(({ start }) => start === cycle));
    if (isLast) return found;
    until = whole.length === 0 ? last.end : last.end + 1;
  }
}

/** Whether other cycles decide about what one costs. */
function needsEarlier({ adjustments, definition: { terms, product } }: ChargedCycle): boolean {
  return adjustments.length > 0 || (terms.by_segment && terms.accumulates && product?.charge_on === "delta");
}

function toStatement(
  cycle: ChargedCycle,
  metric: MetricDefinition | undefined,
  earlier: readonly ChargedCycle[],
): Statement {
  const { definition, label, status, final_at, start, limit, carried, used, overage } = cycle;
  const { id, terms, product } = definition;
  const charged = metric ?? NO_METRIC;
  const places = charged.decimal_places;
  const whose = terms.per === null ? null : label;
  return {
    id: `${id}@${toInstantText(start)}${whose === null ? "" : `/${encodeURIComponent(whose)}`}`,
    subscription: id,
    product: product?.slug ?? null,
    metric: metric?.slug ?? null,
    label: whose,
    cycle: toCycle(cycle),
    status,
    final_at: toOptionalInstant(final_at),
    limit: limit === null ? null : formatExact(limit, places),
    carried: formatExact(carried, places),
    used: formatExact(used, places),
    overage: limit === null ? "0" : formatExact(overage, places),
    ...rateCycle(cycle, charged, earlier),
  };
}
