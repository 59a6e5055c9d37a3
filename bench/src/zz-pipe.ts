import "./harness/environment.ts";
import { bundle } from "./harness/bundle.ts";
import { startWorkers } from "./harness/start-workers.ts";
import { startProduct, eventQueueSettings } from "./harness/product.ts";
import { makeDirectory } from "./harness/scratch.ts";
import { LoadGenerator } from "./harness/load-generator.ts";
import { median } from "./harness/statistics.ts";
const customers = Number(process.env.CUSTOMERS ?? 50), batch = Number(process.env.BATCH ?? 100), bodies = Number(process.env.BODIES ?? 1000), rounds = Number(process.env.ROUNDS ?? 3);
const ours = await startProduct({ entry: process.env.ENTRY ?? "bench/src/product-worker.ts", directory: makeDirectory(), flushSecondsMin: 900 });
const bare = await startWorkers({ directory: makeDirectory(), workers: [{ name: "product", script: await bundle("bench/src/pipeline-ratio/bare-worker.ts"), queueProducers: { EVENTS: "tidemark-events" }, queueConsumers: eventQueueSettings(), durableObjects: { COUNTERS: { className: "Counter", useSQLite: true, unsafePreventEviction: process.env.PREVENT === "1" } } }] });
const sides = [{ n: "ours", w: ours }, { n: "bare", w: bare }];
const load = new LoadGenerator();
async function drained(url: string) { let prev = false; for (;;) { const p = await (await fetch(url + "/progress")).json() as any; if (p.waiting === 0) { if (prev) return p; prev = true } else prev = false; await new Promise(r => setTimeout(r, 25)) } }
await load.prepare({ workload: { seed: 1, customers }, batch: 100, bodies: 0, oneOfEach: true });
for (const s of sides) { const t=Date.now(); const port = Number(new URL(await s.w.url("product")).port); const c0=s.w.cpuSeconds(); await load.send({ port, authorization: ours.authorization, connections: 8, durationMs: null, round: 1 }); const p = await drained(await s.w.url("product")); console.log("warm", s.n, p, p.doneAt - t, "ms cpu", s.w.cpuSeconds()-c0); }
{ const c0 = ours.cpuSeconds(); const t = Date.now(); let last = c0; for (;;) { await new Promise(r => setTimeout(r, 3000)); const c = ours.cpuSeconds(); if (c - last < 0.05) break; last = c } console.log("flush cpu", last - c0, (Date.now() - t)/1000) }
await load.prepare({ workload: { seed: 2, customers }, batch, bodies });
const r: any = { ours: [], bare: [] }, c: any = { ours: [], bare: [] };
for (let k = 0; k <= rounds; k++) for (const s of sides) {
  const url = await s.w.url("product"); const port = Number(new URL(url).port);
  const c0 = s.w.cpuSeconds(); const t0 = Date.now();
  const before = await drained(url);
  const x = await load.send({ port, authorization: ours.authorization, connections: 8, durationMs: null, round: 2 + k });
  const p = await drained(url);
  const sec = (p.doneAt - t0) / 1000; const ev = bodies * batch; const cpu = (s.w.cpuSeconds() - c0) * 1e6 / ev;
  console.log(k, s.n, "ev/s", (ev / sec).toFixed(0), "posted in", x.seconds.toFixed(2), "total", sec.toFixed(2), "cpu", cpu.toFixed(2), "batches", p.batches - before.batches, "msgs", p.done - before.done, (s.w.residentBytes()/1e6).toFixed(0));
  if (k > 0) { r[s.n].push(ev / sec); c[s.n].push(cpu) }
}
console.log("RATIO", (median(r.ours) / median(r.bare)).toFixed(3), "cpu", (median(c.bare) / median(c.ours)).toFixed(3), median(r.ours).toFixed(0), median(r.bare).toFixed(0));
load.stop(); await ours.stop(); await bare.stop();
