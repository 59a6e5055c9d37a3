import type { Counts } from "../counting/counts.ts";
import { type Benchmark, ceilingGoal, type Figure } from "../figure.ts";
import { freePort } from "../harness/free-port.ts";
import { startProduct, UNDER_TEST } from "../harness/product.ts";
import { median, percentile } from "../harness/statistics.ts";
import { renderCurve } from "./curve.ts";
import type { FillOrder, FillReply } from "./fill.ts";
import { IsolateInspector } from "./isolate-inspector.ts";

/** Events in a call. */
const CALL_EVENTS = 1_000;
/** Points of the curve. */
const POINTS = 10;
/** Ids that are sent again. */
const REPEATED_SHARE = 0.01;
/** What an isolate has. */
const ISOLATE_MEGABYTES = 128;
const FLUSH_SECONDS = 20;

interface Call {
  readonly milliseconds: number;
  readonly rows: number;
  /** The isolate's memory after it, with whatever garbage there was just then. */
  readonly memoryBytes: number;
}

/** What it costs one customer's meter to remember millions of ids, and whether it does. */
export const idMemory: Benchmark = async ({ quick, ids: wanted }) => {
  const ids = wanted ?? (quick ? 200_000 : 2_000_000);
  const inspectorPort = await freePort();
  const product = await startProduct({
    entry: "bench/src/id-memory/meter-worker.ts",
    flushSecondsMin: FLUSH_SECONDS,
    inspectorPort,
  });
  try {
    const url = await product.url(UNDER_TEST);
    const residentAtStart = product.residentBytes();
    const inspector = await openInspector(inspectorPort, url);
    const calls = await fill(url, ids, inspector);
    const counts = await (await fetch(url)).json<Counts>();
    const resident = product.residentBytes() - residentAtStart;
    const repeats = await repeat(url, ids);
    inspector.close();
    const live = await readLiveBytes(inspectorPort);
    print({ ids, calls, counts, resident, repeats });
    return toFigures(ids, calls, counts, live);
  } finally {
    await product.stop();
  }
};

/** The inspector knows a Worker's isolate from its first request on. */
async function openInspector(port: number, url: string): Promise<IsolateInspector> {
  await fetch(url);
  return IsolateInspector.open(port, UNDER_TEST);
}

async function readLiveBytes(port: number): Promise<number> {
  const inspector = await IsolateInspector.open(port, UNDER_TEST);
  try {
    return await inspector.liveBytes();
  } finally {
    inspector.close();
  }
}

/** Sends `ids` ids that are all new. */
async function fill(url: string, ids: number, inspector: IsolateInspector): Promise<readonly Call[]> {
  const calls: Call[] = [];
  for (let call = 0; call < ids / CALL_EVENTS; call++) {
    const positions = Array.from({ length: CALL_EVENTS }, (_, index) => call * CALL_EVENTS + index);
    const { reply, milliseconds } = await callMeter(url, positions);
    if (reply.fresh !== CALL_EVENTS)
      throw new Error(`Of ${CALL_EVENTS} new ids the meter took ${CALL_EVENTS - reply.fresh} for known ones.`);
    calls.push({ milliseconds, rows: reply.rows, memoryBytes: await inspector.memoryBytes() });
  }
  return calls;
}

/** Sends ids of all ages again: each must be known. @returns milliseconds of each call. */
async function repeat(url: string, ids: number): Promise<readonly number[]> {
  const repeated = Math.max(CALL_EVENTS, ids * REPEATED_SHARE);
  const milliseconds: number[] = [];
  for (let sent = 0; sent < repeated; sent += CALL_EVENTS) {
    const positions = Array.from({ length: CALL_EVENTS }, (_, index) => Math.floor(((sent + index) / repeated) * ids));
    const call = await callMeter(
      url,
      positions.toSorted(() => 0.5 - Math.random()),
    );
    if (call.reply.duplicates !== CALL_EVENTS)
      throw new Error(`Of ${CALL_EVENTS} ids sent again the meter counted ${call.reply.fresh}.`);
    milliseconds.push(call.milliseconds);
  }
  return milliseconds;
}

async function callMeter(
  url: string,
  positions: readonly number[],
): Promise<{ readonly reply: FillReply; readonly milliseconds: number }> {
  const body = JSON.stringify({ positions } satisfies FillOrder);
  const startedAt = performance.now();
  const response = await fetch(url, { method: "POST", body });
  const reply = await response.json<FillReply>();
  return { reply, milliseconds: performance.now() - startedAt };
}

interface Result {
  readonly ids: number;
  readonly calls: readonly Call[];
  readonly counts: Counts;
  readonly resident: number;
  readonly repeats: readonly number[];
}

function print({ ids, calls, counts, resident, repeats }: Result): void {
  const size = Math.ceil(calls.length / POINTS);
  const points = Array.from({ length: Math.ceil(calls.length / size) }, (_, point) => {
    const slice = calls.slice(point * size, (point + 1) * size);
    const sent = ((point * size + slice.length) * CALL_EVENTS) / 1e6;
    const label = `${sent.toFixed(2)} M ids, ${megabytes(most(slice.map((call) => call.memoryBytes)))} MB`;
    return { label, value: median(slice.map((call) => call.milliseconds)) };
  });
  const times = calls.map((call) => call.milliseconds);
  console.log(
    `\nA call of 1,000 new events, median, and the isolate's memory at its highest, with garbage:\n${renderCurve(points, "ms")}`,
  );
  console.log(
    `all calls: p50 ${median(times).toFixed(2)} ms, p99 ${percentile(times, 0.99).toFixed(1)} ms, longest ${most(times).toFixed(0)} ms`,
  );
  console.log(
    `a call of 1,000 ids sent again, of all ages: ${median(repeats).toFixed(1)} ms; ${repeats.length * CALL_EVENTS} of ${ids} sent again, all known`,
  );
  console.log(
    `rows: ${rowsMean(calls).toFixed(2)} a call, at most ${rowsMost(calls)}; ${counts.alarms} alarms wrote ${counts.alarmRows}, at most ${counts.alarmRowsMax}`,
  );
  console.log(`rows by event, alarms included: ${((counts.callRows + counts.alarmRows) / ids).toFixed(4)}`);
  console.log(`workerd has grown by ${megabytes(resident)} MB, SQLite's caches and garbage included`);
}

function toFigures(ids: number, calls: readonly Call[], counts: Counts, liveBytes: number): readonly Figure[] {
  const size = Math.ceil(calls.length / POINTS);
  const times = calls.map((call) => call.milliseconds);
  const [first, last] = [median(times.slice(0, size)), median(times.slice(-size))];
  const live = liveBytes / 1e6;
  const millions = `${(ids / 1e6).toLocaleString("en-US")} M ids`;
  return [
    {
      name: `${millions}: a call of 1,000, last tenth ÷ first`,
      ours: `${last.toFixed(2)} ms`,
      rival: `${first.toFixed(2)} ms`,
      ratio: last / first,
    },
    {
      name: "  isolate's memory, garbage collected",
      ours: Number.isNaN(live) ? "not told" : `${live.toFixed(1)} MB`,
      rival: `${ISOLATE_MEGABYTES} MB limit`,
      ...(Number.isNaN(live)
        ? {}
        : { ratio: live / ISOLATE_MEGABYTES, goal: ceilingGoal(live, ISOLATE_MEGABYTES / 2, " MB") }),
    },
    {
      name: "  rows written by a call, mean / most",
      ours: `${rowsMean(calls).toFixed(2)} / ${rowsMost(calls)}`,
      rival: "1 floor",
      goal: ceilingGoal(rowsMost(calls), 2),
    },
    {
      name: "  rows by event, alarms included",
      ours: ((counts.callRows + counts.alarmRows) / ids).toFixed(4),
      rival: "",
    },
  ];
}

function most(values: readonly number[]): number {
  return values.reduce((highest, value) => Math.max(highest, value), 0);
}

function megabytes(bytes: number): string {
  return (bytes / 1e6).toFixed(0);
}

function rowsMean(calls: readonly Call[]): number {
  return calls.reduce((sum, call) => sum + call.rows, 0) / calls.length;
}

function rowsMost(calls: readonly Call[]): number {
  return most(calls.map((call) => call.rows));
}
