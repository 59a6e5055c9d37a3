import { Workload, WORKLOAD_METRICS } from "@tidemark/testing/workload";
import { type Benchmark, type Figure, ratioGoal } from "../figure.ts";
import { bundle } from "../harness/bundle.ts";
import { LoadGenerator } from "../harness/load-generator.ts";
import { objectsMax } from "../harness/open-files.ts";
import { eventQueueSettings, OBJECT_SETTINGS, type Product, startProduct, UNDER_TEST } from "../harness/product.ts";
import { type RunningWorkers, startWorkers } from "../harness/start-workers.ts";
import { median } from "../harness/statistics.ts";
import { verifyTotals } from "../harness/verify-totals.ts";
import { whenDrained } from "../harness/when-drained.ts";
import { whenFlushed } from "../harness/when-flushed.ts";

interface Case {
  readonly customers: number;
  readonly batch: number;
  /** Requests in a turn. */
  readonly requests: number;
}

interface Side {
  readonly name: "ours" | "bare";
  readonly workers: RunningWorkers;
  readonly url: string;
  readonly turns: Turn[];
}

interface Turn {
  readonly eventsPerSecond: number;
  readonly cpuMicroseconds: number;
  readonly queueBatches: number;
}

/** So rarely that no flush falls into one side's turns: what flushing costs is the cost meter's to say. */
const FLUSH_SECONDS = 900;
const CUSTOMERS_MAX = 10_000;
const CONNECTIONS = 8;

/** The whole counting path against a bare Hono app, queue and counter object with as many object calls. */
export const pipelineRatio: Benchmark = async ({ quick }) => {
  const many = Math.min(quick ? 500 : CUSTOMERS_MAX, objectsMax());
  if (!quick && many < CUSTOMERS_MAX)
    console.log(`${many} customers instead of ${CUSTOMERS_MAX}: this system does not allow more open files.`);
  // Requests make full queue batches of 100 messages: a rest would wait a second for company on both sides.
  const few = [
    { customers: 50, batch: 100, requests: quick ? 400 : 2_000 },
    { customers: 50, batch: 1_000, requests: quick ? 100 : 200 },
  ];
  const turns = quick ? 2 : 5;
  return [
    ...(await compare(50, few, turns)),
    ...(await compare(many, [{ customers: many, batch: 100, requests: quick ? 100 : 500 }], turns)),
  ];
};

/** Runs cases that share their customers on two fresh platforms. */
async function compare(customers: number, cases: readonly Case[], turns: number): Promise<readonly Figure[]> {
  const product = await startProduct({ entry: "bench/src/harness/product-worker.ts", flushSecondsMin: FLUSH_SECONDS });
  const sides = [await toSide("ours", product), await toSide("bare", await startBare())] as const;
  const load = new LoadGenerator();
  try {
    const warm = await createObjects({ load, sides, product, customers });
    const figures: Figure[] = [];
    const sent = [{ workload: warm, times: 1 }];
    let round = 2;
    for (const { batch, requests } of cases) {
      const workload = { seed: round, customers };
      await load.prepare({ workload, batch, bodies: requests });
      for (const side of sides) side.turns.length = 0;
      for (let turn = 0; turn <= turns; turn++, round++) {
        for (const side of turn % 2 === 0 ? sides : sides.toReversed()) {
          const order = {
            port: portOf(side),
            authorization: product.authorization,
            connections: CONNECTIONS,
            durationMs: null,
            round,
          };
          const measured = await takeTurn(load, side, order, requests * batch);
          // The first turn lets both compile.
          if (turn > 0) side.turns.push(measured);
        }
      }
      const replayed = new Workload(workload);
      replayed.skip(requests * batch);
      sent.push({ workload: replayed, times: turns + 1 });
      await verifyTotals(sides[0].url, [0, customers], sent);
      await verifyCount(
        sides[1].url,
        customers,
        sent.reduce((sum, part) => sum + part.times * part.workload.sent, 0),
      );
      console.log(`\n${customers} customers, batch ${batch}\n${sides.map(renderTurns).join("\n")}`);
      figures.push(...toFigures({ customers, batch, requests }, sides));
    }
    return figures;
  } finally {
    load.stop();
    await Promise.all(sides.map((side) => side.workers.stop()));
  }
}

async function startBare(): Promise<RunningWorkers> {
  const worker = {
    name: UNDER_TEST,
    script: await bundle("bench/src/pipeline-ratio/bare-worker.ts"),
    queueProducers: { EVENTS: "tidemark-events" },
    queueConsumers: eventQueueSettings(),
    durableObjects: { COUNTERS: { className: "Counter", ...OBJECT_SETTINGS } },
  };
  return startWorkers({ workers: [worker] });
}

async function toSide(name: Side["name"], workers: RunningWorkers): Promise<Side> {
  return { name, workers, url: await workers.url(UNDER_TEST), turns: [] };
}

function portOf({ url }: Side): number {
  return Number(new URL(url).port);
}

interface Setting {
  readonly load: LoadGenerator;
  readonly sides: readonly [Side, Side];
  readonly product: Product;
  readonly customers: number;
}

/** Makes every object on both sides, and lets the flush that follows a meter's first event go by. */
async function createObjects({ load, sides, product, customers }: Setting): Promise<Workload> {
  const workload = { seed: 1, customers };
  await load.prepare({ workload, batch: 100, bodies: 0, oneOfEach: true });
  for (const side of sides) {
    await load.send({
      port: portOf(side),
      authorization: product.authorization,
      connections: CONNECTIONS,
      durationMs: null,
      round: 1,
    });
    await whenDrained(side.url);
  }
  await whenFlushed(sides[0].url, customers * WORKLOAD_METRICS.length);
  const warm = new Workload(workload);
  warm.makeOneOfEach();
  return warm;
}

async function takeTurn(
  load: LoadGenerator,
  side: Side,
  order: Parameters<LoadGenerator["send"]>[0],
  events: number,
): Promise<Turn> {
  const before = await whenDrained(side.url);
  const cpuBefore = side.workers.cpuSeconds();
  const startedAt = Date.now();
  await load.send(order);
  const after = await whenDrained(side.url);
  return {
    eventsPerSecond: events / ((after.finishedAt - startedAt) / 1000),
    cpuMicroseconds: ((side.workers.cpuSeconds() - cpuBefore) * 1e6) / events,
    queueBatches: after.batches - before.batches,
  };
}

/** The rival counts everything that arrives, repeated events too. */
async function verifyCount(url: string, customers: number, expected: number): Promise<void> {
  const found = await (
    await fetch(`${url}/totals?from=0&to=${customers}`)
  ).json<readonly { readonly events: number }[]>();
  const events = found.reduce((sum, customer) => sum + customer.events, 0);
  if (events !== expected) throw new Error(`The bare pipeline counted ${events} events of ${expected}.`);
}

function of(side: Side, field: keyof Turn): number {
  return median(side.turns.map((turn) => turn[field]));
}

function renderTurns(side: Side): string {
  const turn = side.turns.map(({ eventsPerSecond }) => eventsPerSecond.toFixed(0)).join(" ");
  return `  ${side.name}: ${turn} events/s, ${of(side, "queueBatches")} queue batches a turn`;
}

function toFigures({ customers, batch }: Case, [ours, bare]: readonly [Side, Side]): readonly Figure[] {
  const name = `pipeline, ${customers.toLocaleString("en-US")} customers, batch ${batch.toLocaleString("en-US")}`;
  const [rate, bareRate] = [of(ours, "eventsPerSecond"), of(bare, "eventsPerSecond")];
  const [cpu, bareCpu] = [of(ours, "cpuMicroseconds"), of(bare, "cpuMicroseconds")];
  const ratio = rate / bareRate;
  return [
    {
      name: `${name}, events/s`,
      ours: rate.toFixed(0),
      rival: bareRate.toFixed(0),
      ratio,
      goal: ratioGoal(ratio, 0.7),
    },
    {
      name: "  server CPU an event",
      ours: `${cpu.toFixed(1)} µs`,
      rival: `${bareCpu.toFixed(1)} µs`,
      ratio: cpu / bareCpu,
    },
  ];
}
