import { ceilingGoal, type Figure, type Goal, ratioGoal } from "../figure.ts";
import type { LoadGenerator } from "../harness/load-generator.ts";
import type { Ranks } from "../harness/ranks.ts";
import { consumeTexts } from "../harness/request-texts.ts";
import { allow, fetchUsed } from "../harness/uses.ts";
import type { Side } from "./side.ts";
import type { Sides } from "./sides.ts";
import { of, renderTurns, takeTurns, toOrder, type Turns } from "./take-turns.ts";

/** How much is measured. */
export interface Effort {
  readonly turns: number;
  readonly seconds: number;
  /** Where there are many. */
  readonly customers: number;
}

const HOT: Ranks = { from: 0, to: 1 };
const LIMITED: Ranks = { from: 1, to: 2 };
const MANY_FROM = 1_000;
/** Beyond what a run can use. */
const NO_LIMIT = 1_000_000_000;
/** Reached in the middle of what is asked for. */
const LIMIT = 1_000;
const CONNECTIONS = 32;
/** Prepared requests: more than connections; each is sent again with a new id. */
const BODIES = 1_024;
/** By then the first flush of a meter that was told of an allowance is over. */
const FLUSHED_MS = 5_000;

/** `POST /v1/consume`, one unit a request, against objects and databases that count one with each request. */
export async function compareUses(sides: Sides, load: LoadGenerator, effort: Effort): Promise<readonly Figure[]> {
  const { ours, bare, postgres, redisAlways, redisEverySecond } = sides;
  const databases = [postgres, redisAlways, redisEverySecond].filter((side) => side !== undefined);
  const many: Ranks = { from: MANY_FROM, to: MANY_FROM + effort.customers };
  await setLimits([ours, ...databases], many);
  const compare = async (title: string, plan: Omit<Plan, keyof Effort | "load">): Promise<Turns> => {
    const turns = await takeCountedTurns({ ...effort, ...plan, load });
    console.log(`\n${title}\n${renderTurns(turns)}`);
    return turns;
  };

  const alone = await compare("one connection, one customer", { sides: [ours, bare], ranks: HOT, connections: 1 });
  const hotSides = postgres === undefined ? [ours, bare] : [ours, bare, postgres];
  const hot = await compare(`${CONNECTIONS} connections, one customer`, {
    sides: hotSides,
    ranks: HOT,
    connections: CONNECTIONS,
  });
  const spread = await compare(`${CONNECTIONS} connections, ${effort.customers} customers`, {
    sides: [ours, bare, ...databases],
    ranks: many,
    connections: CONNECTIONS,
  });
  for (const side of [ours, ...databases]) await verifyLimit(side, load);

  const manyName = `consume, ${effort.customers.toLocaleString("en-US")} customers, requests/s`;
  return [
    latencyFigure("p50", alone, ours, bare, 1.1),
    latencyFigure("p99", alone, ours, bare, 1.25),
    rateFigure("consume, one hot customer, requests/s, ÷ bare", hot, [ours, bare], (ratio) => ratioGoal(ratio, 2)),
    rateFigure("  ÷ node + pg, one row", hot, [ours, postgres], (ratio) => ratioGoal(ratio, 1.5)),
    rateFigure(`${manyName}, ÷ bare`, spread, [ours, bare]),
    rateFigure("  ÷ node + pg", spread, [ours, postgres]),
    rateFigure("  ÷ node + ioredis, AOF always", spread, [ours, redisAlways]),
    rateFigure("  ÷ node + ioredis, AOF everysec", spread, [ours, redisEverySecond]),
  ];
}

async function setLimits(sides: readonly Side[], many: Ranks): Promise<void> {
  for (const { url } of sides) {
    await allow(url, HOT, NO_LIMIT);
    await allow(url, many, NO_LIMIT);
    await allow(url, LIMITED, LIMIT);
  }
  await new Promise((resolve) => setTimeout(resolve, FLUSHED_MS));
}

interface Plan extends Effort {
  readonly load: LoadGenerator;
  readonly sides: readonly Side[];
  readonly ranks: Ranks;
  readonly connections: number;
}

/** @throws Error when a side has not counted exactly what it allowed. */
async function takeCountedTurns({ ranks, ...plan }: Plan): Promise<Turns> {
  await plan.load.prepare({ path: "/v1/consume", bodies: consumeTexts(ranks, BODIES) });
  const before = new Map<Side, number>();
  for (const side of plan.sides) before.set(side, await fetchUsed(side.url, ranks));
  const turns = await takeTurns(plan);
  for (const [side, { allowed }] of turns) {
    const used = (await fetchUsed(side.url, ranks)) - (before.get(side) ?? 0);
    if (used !== allowed) throw new Error(`${side.name} allowed ${allowed} uses and counted ${used}.`);
  }
  return turns;
}

/** @throws Error when a side allows more than its limit, or less, or counts something else. */
async function verifyLimit(side: Side, load: LoadGenerator): Promise<void> {
  await load.prepare({ path: "/v1/consume", bodies: consumeTexts(LIMITED, 2 * LIMIT) });
  const { allowed } = await load.send(toOrder(side, CONNECTIONS, null));
  const used = await fetchUsed(side.url, LIMITED);
  if (allowed !== LIMIT || used !== LIMIT)
    throw new Error(`Of ${LIMIT} uses ${side.name} allowed ${allowed} and counted ${used}.`);
}

function latencyFigure(percentile: "p50" | "p99", turns: Turns, ours: Side, bare: Side, limit: number): Figure {
  const [time, bareTime] = [of(turns, ours, `${percentile}Ms`), of(turns, bare, `${percentile}Ms`)];
  return {
    name: `consume, one connection, ${percentile}, ÷ bare`,
    ours: `${time.toFixed(2)} ms`,
    rival: `${bareTime.toFixed(2)} ms`,
    ratio: time / bareTime,
    goal: ceilingGoal(time / bareTime, limit),
  };
}

function rateFigure(
  name: string,
  turns: Turns,
  [ours, rival]: readonly [Side, Side | undefined],
  goal?: (ratio: number) => Goal,
): Figure {
  const rate = of(turns, ours, "perSecond");
  if (rival === undefined) return { name, ours: rate.toFixed(0), rival: "not installed" };
  const rivalRate = of(turns, rival, "perSecond");
  const ratio = rate / rivalRate;
  const measured = { name, ours: rate.toFixed(0), rival: rivalRate.toFixed(0), ratio };
  return goal === undefined ? measured : { ...measured, goal: goal(ratio) };
}
