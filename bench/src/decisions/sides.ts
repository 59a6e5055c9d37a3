import { bundle } from "../harness/bundle.ts";
import { OBJECT_SETTINGS, startProduct, UNDER_TEST } from "../harness/product.ts";
import { type RunningWorkers, startWorkers } from "../harness/start-workers.ts";
import { type Side, startStoreSide, type StoreSide, toSide } from "./side.ts";

/** Everything that takes part; a database that is not installed does not. */
export interface Sides {
  readonly ours: Side;
  /** A Worker and an object, and nothing else. */
  readonly bare: Side;
  /** A Worker and nothing else. */
  readonly hello: Side;
  readonly postgres: StoreSide | undefined;
  /** Redis that syncs its file with every change. */
  readonly redisAlways: StoreSide | undefined;
  /** Redis that syncs its file every second, and may lose one. */
  readonly redisEverySecond: StoreSide | undefined;
  stop(): Promise<void>;
}

/** So rarely that no flush but the first falls into a turn: what flushing costs is the cost meter's to say. */
const FLUSH_SECONDS = 900;

export async function startSides(): Promise<Sides> {
  const product = await startProduct({ entry: "bench/src/harness/product-worker.ts", flushSecondsMin: FLUSH_SECONDS });
  const [bare, hello] = [await startBare(), await startHello()];
  const stores = {
    postgres: await startStoreSide("node + pg", "postgres"),
    redisAlways: await startStoreSide("node + ioredis, AOF always", "redis-always"),
    redisEverySecond: await startStoreSide("node + ioredis, AOF everysec", "redis-everysec"),
  };
  return {
    ours: await toSide("ours", product, { authorization: product.authorization }),
    bare: await toSide("bare Worker + object", bare),
    hello: await toSide("hello-world Worker", hello, { yes: "Hello" }),
    ...stores,
    stop: async () => {
      for (const store of Object.values(stores)) store?.stop();
      await Promise.all([product, bare, hello].map((workers) => workers.stop()));
    },
  };
}

async function startBare(): Promise<RunningWorkers> {
  const script = await bundle("bench/src/decisions/bare-worker.ts");
  const durableObjects = { COUNTERS: { className: "Counter", ...OBJECT_SETTINGS } };
  return startWorkers({ workers: [{ name: UNDER_TEST, script, durableObjects }] });
}

async function startHello(): Promise<RunningWorkers> {
  return startWorkers({ workers: [{ name: UNDER_TEST, script: await bundle("bench/src/decisions/hello-worker.ts") }] });
}
