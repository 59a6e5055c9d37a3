import { DatabaseSync } from "node:sqlite";
import { sql } from "drizzle-orm";
import { SQLiteAsyncDialect } from "drizzle-orm/sqlite-core";
import { usageParts } from "./usage-parts.ts";
import { TOTAL_HIGH, TOTAL_LOW } from "./total.ts";
import { bucketsOf } from "@tidemark/core/buckets";
import { planDays } from "@tidemark/core/day-plan";
const db = new DatabaseSync(":memory:");
console.log(db.prepare("select sqlite_version() v").get());
db.exec("CREATE TABLE usage_days (project_id text NOT NULL, metric_id text NOT NULL, day integer NOT NULL, customer_id text NOT NULL, version integer NOT NULL, value integer NOT NULL, events integer NOT NULL, rejected integer NOT NULL, last_at integer NOT NULL, groups text NOT NULL, PRIMARY KEY(project_id, metric_id, day, customer_id)) STRICT, WITHOUT ROWID");
const today = 20778; const N = Number(process.argv[2] ?? 1000), D = 30;
const hours = Object.fromEntries(Array.from({length:24},(_, h)=>[h,"5"]));
const groups = JSON.stringify([{labels:["a"],value:"60",events:60,hours},{labels:["b"],value:"60",events:60,hours}]);
for (let d = 0; d < D; d++) db.prepare(`WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM c WHERE i < ${N-1}) INSERT INTO usage_days SELECT 'p','m',?, 'customer-' || i, 1, 120, 120, 0, ?, ? FROM c`).run(today - d, (today-d)*86400000+3600000*23, groups);
const dialect = new SQLiteAsyncDialect();
const span = {start:(today-29)*864e5, end:(today+1)*864e5};
for (const [name, grain, zone, labels] of [["utc day","day","UTC",null],["utc grouped","day","UTC",[0]],["berlin","day","Europe/Berlin",null],["berlin grouped","day","Europe/Berlin",[0]],["hour","hour","UTC",null]] as const) {
  const s = zone === "UTC" ? span : {start: span.start - 36e5, end: span.end-36e5};
  const parts = usageParts({project_id:"p",metric_ids:["m"],customer_ids:null}, planDays(bucketsOf(s, grain, zone)), {labelIndexes: labels, live: []});
  const q = dialect.sqlToQuery(sql`SELECT metric_id, bucket, group_labels, ${TOTAL_HIGH}, ${TOTAL_LOW} FROM (${parts}) GROUP BY metric_id, bucket, group_labels LIMIT ${50001}`);
  console.log("==", name);
  if (N <= 1000) for (const r of db.prepare("EXPLAIN QUERY PLAN " + q.sql).all(...q.params as any)) console.log("  ", (r as any).detail);
  const t = performance.now(); const rows = db.prepare(q.sql).all(...q.params as any); console.log(name, rows.length, Math.round(performance.now()-t), "ms", rows[1]);
}
