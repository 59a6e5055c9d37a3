import { DatabaseSync } from "node:sqlite";
import { sql } from "drizzle-orm";
import { SQLiteAsyncDialect } from "drizzle-orm/sqlite-core";
import { usageParts } from "./usage-parts.ts";
import { TOTAL_HIGH, TOTAL_LOW } from "./total.ts";
import { bucketsOf } from "@tidemark/core/buckets";
import { planDays } from "@tidemark/core/day-plan";
const db = new DatabaseSync(":memory:");
console.log(db.prepare("select sqlite_version() v").get());
db.exec(
  "CREATE TABLE usage_days (project_id text NOT NULL, metric_id text NOT NULL, day integer NOT NULL, customer_id text NOT NULL, version integer NOT NULL, value integer NOT NULL, events integer NOT NULL, rejected integer NOT NULL, last_at integer NOT NULL, groups text NOT NULL, PRIMARY KEY(project_id, metric_id, day, customer_id)) STRICT, WITHOUT ROWID",
);
const today = 20778;
const N = Number(process.argv[2] ?? 1000),
  D = 30;
const hours = Object.fromEntries(Array.from({ length: 24 }, (_, h) => [h, "5"]));
const groups = JSON.stringify([
  { labels: ["a"], value: "60", events: 60, hours },
  { labels: ["b"], value: "60", events: 60, hours },
]);
for (let d = 0; d < D; d++)
  db.prepare(
    `WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM c WHERE i < ${N - 1}) INSERT INTO usage_days SELECT 'p','m',?, 'customer-' || i, 1, 120, 120, 0, ?, ? FROM c`,
  ).run(today - d, (today - d) * 86400000 + 3600000 * 23, groups);

const span = {start:(today-29)*864e5, end:(today+1)*864e5};
const d1 = { prepare: (q: string) => ({ bind: (...ps: any[]) => ({ all: async () => { if (N<=1000) for (const r of db.prepare("EXPLAIN QUERY PLAN "+q).all(...ps)) console.log("   ", (r as any).detail); const t=performance.now(); const results = db.prepare(q).all(...ps); console.log("   q", Math.round(performance.now()-t), results.length); return {results}; } }) }) } as any;
import { sumProjectUsage } from "./project-usage.ts";
import { rankCustomers, sumByCustomer } from "./top-customers.ts";
for (const [name, grain, zone, labels] of [["utc day","day","UTC",null],["utc grouped","day","UTC",[0]],["berlin","day","Europe/Berlin",null],["berlin grouped","day","Europe/Berlin",[0]],["tokyo","day","Asia/Tokyo",null],["hour","hour","UTC",null]] as const) {
  const off = {UTC:0,"Europe/Berlin":36e5,"Asia/Tokyo":9*36e5}[zone];
  const s = {start: span.start - off, end: span.end-off};
  const t = performance.now(); const rows = await sumProjectUsage(d1, {project_id:"p",metric_id:"m",plan: planDays(bucketsOf(s, grain, zone)), labelIndexes: labels, limit: 50001}); console.log("==", name, rows.length, Math.round(performance.now()-t), "ms", rows[1]);
}
db.exec("CREATE TABLE customers (project_id text, customer_id text, name text, first_seen_at integer, primary key(project_id, customer_id))");
for (const zone of ["UTC", "Europe/Berlin"]) {
  const off = zone === "UTC" ? 0 : 36e5; const s = {start: span.start - off, end: span.end-off};
  const r = await rankCustomers(d1, {project_id:"p",metric_id:"m"}, planDays([s]), {limit: 20, clamp: true}); console.log("rank", zone, r.length, r[0]);
  const q = await sumByCustomer(d1, {project_id:"p",metric_id:"m",customer_ids: r.map(x=>x.customer_id)}, planDays(bucketsOf(s,"day",zone))); console.log("series", q.length);
  const r5 = await rankCustomers(d1, {project_id:"p",metric_id:"m"}, planDays([s]), {limit: 500, clamp: true});
  const q5 = await sumByCustomer(d1, {project_id:"p",metric_id:"m",customer_ids: r5.map(x=>x.customer_id)}, planDays(bucketsOf(s,"day",zone))); console.log("series500", q5.length);
}
