import type { Counts } from "../counting/counts.ts";
import { LoadGenerator } from "../harness/load-generator.ts";
import { objectsMax } from "../harness/open-files.ts";
import { type Product, startProduct, UNDER_TEST } from "../harness/product.ts";

/** So rarely that no flush but the first falls into a run: what one costs is counted by itself. */
const FLUSH_SECONDS = 900;
/** An idle object leaves memory after ten seconds. */
const EVICTION_MS = 11_000;
/** Customers that are made, or asked, in a group; a group's objects are awake together. */
export const CUSTOMERS_PER_GROUP = 5_000;
/** Objects that a group of requests can wake. */
const GROUP_OBJECTS_MAX = 5_500;

/** The product with everything counted, and somebody who uses it. */
export interface Platform {
  readonly product: Product;
  readonly load: LoadGenerator;
  readonly url: string;
  readonly customers: number;
}

/** Nothing is timed here, so nothing needs to reach a disk, and objects may come and go. */
export async function startPlatform(customers: number): Promise<Platform & { stop(): Promise<void> }> {
  const product = await startProduct({
    entry: "bench/src/cost-meter/counted-worker.ts",
    flushSecondsMin: FLUSH_SECONDS,
    isUntimed: true,
    mayEvict: true,
  });
  const load = new LoadGenerator();
  const stop = async (): Promise<void> => {
    load.stop();
    await product.stop();
  };
  return { product, load, url: await product.url(UNDER_TEST), customers, stop };
}

/** Sends a range of what was prepared, once. */
export async function sendRange(
  { product, load, url }: Platform,
  range: readonly [number, number],
  { connections, round }: { readonly connections: number; readonly round: number },
): Promise<void> {
  const { authorization } = product;
  await load.send({ port: Number(new URL(url).port), authorization, connections, durationMs: null, range, round });
}

/** Where files are scarce, waits until objects that are not in use have left memory. */
export async function pauseForEviction(customers: number): Promise<void> {
  const objects = objectsMax();
  if (objects >= customers) return;
  if (objects < GROUP_OBJECTS_MAX)
    throw new Error(
      `${customers} customers need more open files: at least ${3 * GROUP_OBJECTS_MAX + 1_000} (ulimit -Hn).`,
    );
  await new Promise((resolve) => setTimeout(resolve, EVICTION_MS));
}

/** What was counted since the last time. */
export async function takeCounts({ url }: Platform): Promise<Counts> {
  return (await fetch(`${url}/counts`)).json<Counts>();
}

/** An amount of dollars, for people. */
export function money(amount: number): string {
  return `$${amount.toFixed(amount < 0.01 ? 5 : 4)}`;
}
