import type { LoadGenerator } from "../harness/load-generator.ts";
import type { LoadOrder } from "../harness/load-plan.ts";
import { median } from "../harness/statistics.ts";
import { renderTable } from "../table.ts";
import type { Side } from "./side.ts";

/** What a side did in one of its turns. */
export interface Turn {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly cpuMicroseconds: number;
}

/** What a side did in all of them. */
interface Taken {
  /** Without the first, in which everything is compiled. */
  readonly measured: Turn[];
  /** What it allowed, in the first too. */
  allowed: number;
}

export type Turns = ReadonlyMap<Side, Readonly<Taken>>;

export interface TurnsOptions {
  readonly load: LoadGenerator;
  readonly sides: readonly Side[];
  readonly connections: number;
  readonly turns: number;
  readonly seconds: number;
}

/** What rounds of ids lie apart: more than the times that a turn goes through its bodies. */
const ROUNDS_APART = 1_000_000;

/**
 * Lets sides take turns with the requests that the load process has prepared, in one order and then the other.
 *
 * @throws Error when a side did not say yes to everything.
 */
export async function takeTurns({ load, sides, connections, turns, seconds }: TurnsOptions): Promise<Turns> {
  const taken = new Map(sides.map((side): [Side, Taken] => [side, { measured: [], allowed: 0 }]));
  for (let turn = 0; turn <= turns; turn++) {
    for (const [side, each] of turn % 2 === 0 ? taken : [...taken].toReversed()) {
      const cpuBefore = side.cpuSeconds();
      const result = await load.send(toOrder(side, connections, seconds * 1000));
      const { requests, allowed, p50Ms, p99Ms, seconds: took } = result;
      if (allowed !== requests) throw new Error(`${side.name} said yes to ${allowed} of ${requests} requests.`);
      const cpuMicroseconds = ((side.cpuSeconds() - cpuBefore) * 1e6) / requests;
      each.allowed += allowed;
      if (turn > 0) each.measured.push({ perSecond: requests / took, p50Ms, p99Ms, cpuMicroseconds });
    }
  }
  return taken;
}

/** An order to a side: for a time, or `null` to send each request once. No two orders of a run share an id. */
export function toOrder(side: Side, connections: number, durationMs: number | null): LoadOrder {
  const { url, authorization, yes } = side;
  round += ROUNDS_APART;
  return { port: Number(new URL(url).port), authorization, yes, connections, durationMs, round };
}

let round = 0;

/** A side's median over its turns. */
export function of(turns: Turns, side: Side, field: keyof Turn): number {
  return median((turns.get(side)?.measured ?? []).map((turn) => turn[field]));
}

/** All sides, as a table. */
export function renderTurns(turns: Turns): string {
  const rows = Array.from(turns, ([side, { measured }]) => {
    const rates = measured.map(({ perSecond }) => perSecond);
    const cpu = of(turns, side, "cpuMicroseconds");
    return [
      side.name,
      of(turns, side, "perSecond").toFixed(0),
      `${Math.min(...rates).toFixed(0)}–${Math.max(...rates).toFixed(0)}`,
      of(turns, side, "p50Ms").toFixed(2),
      of(turns, side, "p99Ms").toFixed(2),
      Number.isNaN(cpu) ? "" : cpu.toFixed(0),
    ];
  });
  return renderTable(["", "requests/s", "over the turns", "p50 ms", "p99 ms", "server CPU µs"], rows);
}
