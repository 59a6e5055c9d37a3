import { parseArgs } from "node:util";
import { cpuPerEvent } from "./cpu/cpu-per-event.ts";
import { costMeter } from "./cost-meter/cost-meter.ts";
import { decisions } from "./decisions/decisions.ts";
import type { Benchmark, Figure } from "./figure.ts";
import { stopAllWorkers } from "./harness/start-workers.ts";
import { idMemory } from "./id-memory/id-memory.ts";
import { insight } from "./insight/insight.ts";
import { ingestRatio } from "./ingest-ratio/ingest-ratio.ts";
import { pipelineRatio } from "./pipeline-ratio/pipeline-ratio.ts";
import { renderFigures } from "./table.ts";

const BENCHMARKS: Readonly<Record<string, Benchmark>> = {
  ingest: ingestRatio,
  pipeline: pipelineRatio,
  decisions,
  insight,
  cost: costMeter,
  memory: idMemory,
  cpu: cpuPerEvent,
};

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: "boolean", default: false }, ids: { type: "string" } },
});
const names = positionals.length > 0 ? positionals : Object.keys(BENCHMARKS);
const unknown = names.filter((name) => !(name in BENCHMARKS));
if (unknown.length > 0) {
  console.error(`There is no benchmark ${unknown.join(", ")}: they are ${Object.keys(BENCHMARKS).join(", ")}.`);
  process.exit(2);
}
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => void end(130));

const figures: Figure[] = [];
const failures: string[] = [];
for (const name of names) await run(name);
console.log(`\n${renderFigures(figures)}`);
if (values.quick) console.log("\nA quick run shows that everything works; its figures are not worth quoting.");
for (const failure of failures) console.error(`\n${failure}`);
await end(failures.length > 0 ? 1 : 0);

/** A benchmark whose gate fails has no figures, and the others go on. */
async function run(name: string): Promise<void> {
  const startedAt = performance.now();
  console.log(`\n== ${name}`);
  try {
    const found = await BENCHMARKS[name]?.({
      quick: values.quick,
      ids: values.ids === undefined ? undefined : Number(values.ids),
    });
    figures.push(...(found ?? []));
  } catch (error) {
    failures.push(`${name} FAILED: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`);
    await stopAllWorkers();
  }
  console.log(`(${((performance.now() - startedAt) / 1000).toFixed(0)} s)`);
}

/** Ends every workerd before this process ends: the load process and the scratch directories go with it. */
async function end(code: number): Promise<never> {
  await stopAllWorkers();
  process.exit(code);
}
