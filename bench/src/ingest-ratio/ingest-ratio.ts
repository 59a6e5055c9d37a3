import { gzipSync } from "node:zlib";
import { type Benchmark, ceilingGoal, type Figure, ratioGoal } from "../figure.ts";
import { bundle } from "../harness/bundle.ts";
import { LoadGenerator } from "../harness/load-generator.ts";
import { makeProject, PEPPER } from "../harness/make-project.ts";
import { UNDER_TEST } from "../harness/product.ts";
import { readSettings } from "../harness/read-settings.ts";
import { type RunningWorkers, startWorkers } from "../harness/start-workers.ts";
import { median } from "../harness/statistics.ts";
import { renderTable } from "../table.ts";

interface Case {
  readonly batch: number;
  readonly connections: number;
  /** Prepared bodies: more than connections, few enough to be made quickly. */
  readonly bodies: number;
  readonly goal: number;
}

const CASES: readonly Case[] = [
  { batch: 1, connections: 16, bodies: 2_000, goal: 0.9 },
  { batch: 100, connections: 8, bodies: 64, goal: 0.8 },
  { batch: 1_000, connections: 4, bodies: 32, goal: 0.7 },
];

interface Side {
  readonly name: "ours" | "bare";
  readonly workers: RunningWorkers;
  readonly port: number;
  readonly turns: Turn[];
}

interface Turn {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMicroseconds: number;
}

const INGEST = "workers/ingest/src/index.ts";

/** Our ingest Worker against one that only parses the JSON and puts it on a queue. */
export const ingestRatio: Benchmark = async ({ quick }) => {
  const { ours, bare, authorization } = await startSides();
  const load = new LoadGenerator();
  try {
    const figures: Figure[] = [];
    const seconds = quick ? 0.5 : 1.5;
    let round = 1;
    for (const { batch, connections, bodies, goal } of CASES) {
      await load.prepare({ workload: { seed: 1, customers: 10_000 }, batch, bodies });
      for (const side of [ours, bare]) side.turns.length = 0;
      for (let turn = 0; turn <= (quick ? 2 : 5); turn++) {
        for (const side of turn % 2 === 0 ? [ours, bare] : [bare, ours]) {
          const order = { port: side.port, authorization, connections, durationMs: seconds * 1000, round };
          const measured = await takeTurn(load, side, order);
          // The first turn lets both compile.
          if (turn > 0) side.turns.push(measured);
          round += 1_000_000;
        }
      }
      console.log(`\nbatch ${batch}, ${connections} connections\n${renderTurns([ours, bare])}`);
      figures.push(toFigure(batch, goal, ours, bare));
    }
    return [...figures, await bundleFigure()];
  } finally {
    load.stop();
    await Promise.all([ours.workers.stop(), bare.workers.stop()]);
  }
};

async function startSides(): Promise<{ readonly ours: Side; readonly bare: Side; readonly authorization: string }> {
  // Both sides deliver to a consumer of its own that takes everything unread: the queue costs both the same.
  const sink = {
    name: "sink",
    script: await bundle("bench/src/ingest-ratio/sink-worker.ts"),
    queueConsumers: { "tidemark-events": { maxBatchSize: 100, maxBatchTimeout: 1 } },
  };
  const queueProducers = { EVENTS: "tidemark-events" };
  const product = {
    ...readSettings("workers/ingest/wrangler.toml"),
    name: UNDER_TEST,
    script: await bundle(INGEST),
    bindings: { KEY_PEPPER: PEPPER },
    // The meters are another Worker's, and no event waits for them.
    durableObjects: {},
  };
  const rival = { name: UNDER_TEST, script: await bundle("bench/src/ingest-ratio/bare-worker.ts"), queueProducers };
  const ours = await startWorkers({ workers: [product, sink] });
  const bare = await startWorkers({ workers: [rival, sink] });
  const database = await ours.miniflare.getD1Database("DB", UNDER_TEST);
  const authorization = `Bearer ${await makeProject(database)}`;
  return { ours: await toSide("ours", ours), bare: await toSide("bare", bare), authorization };
}

async function toSide(name: Side["name"], workers: RunningWorkers): Promise<Side> {
  return { name, workers, port: Number(new URL(await workers.url(UNDER_TEST)).port), turns: [] };
}

async function takeTurn(
  load: LoadGenerator,
  { workers }: Side,
  order: Parameters<LoadGenerator["send"]>[0],
): Promise<Turn> {
  const cpuBefore = workers.cpuSeconds();
  const { requests, seconds, p50Ms, p99Ms } = await load.send(order);
  // What is still in the queue is delivered before the other side's turn.
  await new Promise((resolve) => setTimeout(resolve, 200));
  return {
    requestsPerSecond: requests / seconds,
    p50Ms,
    p99Ms,
    cpuMicroseconds: ((workers.cpuSeconds() - cpuBefore) * 1e6) / requests,
  };
}

function of(side: Side, field: keyof Turn): number {
  return median(side.turns.map((turn) => turn[field]));
}

function renderTurns(sides: readonly Side[]): string {
  const rows = sides.map((side) => {
    const rates = side.turns.map((turn) => turn.requestsPerSecond);
    return [
      side.name,
      of(side, "requestsPerSecond").toFixed(0),
      `${Math.min(...rates).toFixed(0)}–${Math.max(...rates).toFixed(0)}`,
      of(side, "p50Ms").toFixed(2),
      of(side, "p99Ms").toFixed(1),
      of(side, "cpuMicroseconds").toFixed(0),
    ];
  });
  return renderTable(["", "requests/s", "over the turns", "p50 ms", "p99 ms", "server CPU µs"], rows);
}

function toFigure(batch: number, goal: number, ours: Side, bare: Side): Figure {
  const [rate, bareRate] = [of(ours, "requestsPerSecond"), of(bare, "requestsPerSecond")];
  const ratio = rate / bareRate;
  return {
    name: `ingest, batch ${batch}, requests/s`,
    ours: rate.toFixed(0),
    rival: bareRate.toFixed(0),
    ratio,
    goal: ratioGoal(ratio, goal),
  };
}

async function bundleFigure(): Promise<Figure> {
  const kilobytes = gzipSync(await bundle(INGEST)).length / 1000;
  return {
    name: "ingest bundle, gzip",
    ours: `${kilobytes.toFixed(1)} kB`,
    rival: "",
    goal: ceilingGoal(kilobytes, 60, " kB"),
  };
}
