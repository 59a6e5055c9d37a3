import "./harness/environment.ts";
import { writeFileSync } from "node:fs";
import { startProduct } from "./harness/product.ts";
import { makeDirectory } from "./harness/scratch.ts";
import { LoadGenerator } from "./harness/load-generator.ts";
const customers = Number(process.env.CUSTOMERS ?? 50), batch = Number(process.env.BATCH ?? 100), bodies = Number(process.env.BODIES ?? 1000);
const ours = await startProduct({ entry: process.env.ENTRY ?? "bench/src/product-worker.ts", directory: makeDirectory(), flushSecondsMin: 900, inspectorPort: 9777 });
const list = await (await fetch("http://127.0.0.1:9777/json")).json() as any[];
console.log(list.map((x) => x.id + " " + x.webSocketDebuggerUrl));
const ws = new WebSocket(list.find((x) => /product/.test(x.id))!.webSocketDebuggerUrl);
await new Promise((r) => ws.addEventListener("open", r));
let id = 0; const wait = new Map<number, (x: any) => void>();
ws.addEventListener("message", (m) => { const d = JSON.parse(String(m.data)); wait.get(d.id)?.(d) });
const cdp = (method: string, params: any = {}) => new Promise<any>((r) => { wait.set(++id, r); ws.send(JSON.stringify({ id, method, params })) });
console.log(await cdp("Runtime.getHeapUsage"));
const load = new LoadGenerator();
async function drained(url: string) { let prev = false; for (;;) { const p = await (await fetch(url + "/progress")).json() as any; if (p.waiting === 0) { if (prev) return p; prev = true } else prev = false; await new Promise(r => setTimeout(r, 25)) } }
const url = await ours.url("product"); const port = Number(new URL(url).port);
await load.prepare({ workload: { seed: 1, customers }, batch: 100, bodies: 0, oneOfEach: true });
await load.send({ port, authorization: ours.authorization, connections: 8, durationMs: null, round: 1 }); await drained(url);
await load.prepare({ workload: { seed: 2, customers }, batch, bodies });
for (let k = 0; k < 3; k++) {
  await cdp("Profiler.enable"); await cdp("Profiler.setSamplingInterval", { interval: 200 }); if (k === 2) await cdp("Profiler.start");
  const t = Date.now(); const c0 = ours.cpuSeconds();
  await load.send({ port, authorization: ours.authorization, connections: 8, durationMs: null, round: 2 + k });
  const p = await drained(url);
  console.log(k, (bodies * batch / (p.doneAt - t) * 1000).toFixed(0), ((ours.cpuSeconds() - c0) * 1e6 / bodies / batch).toFixed(2));
}
const { result: { profile } } = await cdp("Profiler.stop");
const self = new Map<string, number>(); const nodes = new Map<number, any>(profile.nodes.map((n: any) => [n.id, n]));
const dt = profile.timeDeltas; let total = 0;
const selfById = new Map<number, number>();
profile.samples.forEach((s: number, i: number) => { selfById.set(s, (selfById.get(s) ?? 0) + dt[i]); total += dt[i] });
const name = (n: any) => `${n.callFrame.functionName || "(anon)"}:${n.callFrame.lineNumber}:${n.callFrame.columnNumber}`;
for (const [i, t] of selfById) { const k = name(nodes.get(i)); self.set(k, (self.get(k) ?? 0) + t) }
const tot = new Map<string, number>();
const walk = (n: any, stack: Set<string>): number => { let t = selfById.get(n.id) ?? 0; const k = name(n); const fresh = !stack.has(k); if (fresh) stack.add(k); for (const c of n.children ?? []) t += walk(nodes.get(c), stack); if (fresh) { stack.delete(k); tot.set(k, (tot.get(k) ?? 0) + t) } return t };
walk(profile.nodes[0], new Set());
console.log("total ms", total / 1000);
const ev = bodies * batch;
for (const [k, t] of [...self].sort((a, b) => b[1] - a[1]).slice(0, 45)) console.log((t * 1000 / ev).toFixed(0).padStart(7), "ns/ev self", (tot.get(k)! * 1000 / ev).toFixed(0).padStart(7), "total", k);
load.stop(); await ours.stop(); process.exit(0);
