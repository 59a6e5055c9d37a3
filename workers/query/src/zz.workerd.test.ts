import { env } from "cloudflare:workers";
import { test } from "vitest";
import { call, json, makeMetric, makeProject, store } from "../test/fixture.ts";
test("perf", async () => {
  const p = await makeProject("UTC");
  const m = await makeMetric(p, {group_by:["model"]});
  const today = Math.floor(Date.now()/86400000);
  const hours = JSON.stringify(Object.fromEntries(Array.from({length:24},(_, h)=>[h,"5"])));
  const groups = JSON.stringify([{labels:["a"],value:"60",events:60,hours:JSON.parse(hours)},{labels:["b"],value:"60",events:60,hours:JSON.parse(hours)}]);
  for (let d = 0; d < 30; d++) await env.DB.prepare(`WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM c WHERE i < 9999)
   INSERT INTO usage_days (project_id, metric_id, day, customer_id, version, value, events, rejected, last_at, groups)
   SELECT ?, ?, ?, 'customer-' || i, 1, 120, 120, 0, ?, ? FROM c`).bind(p.id, m.id, today - d, (today-d)*86400000+3600000*23, groups).run();
  await env.DB.prepare(`WITH RECURSIVE c(i) AS (SELECT 0 UNION ALL SELECT i+1 FROM c WHERE i < 9999) INSERT INTO customers (project_id, customer_id, created_at) SELECT ?, 'customer-'||i, 0 FROM c`).bind(p.id).run();
  const time = async (path: string) => { const ts=[]; for (let i=0;i<3;i++){const t = performance.now(); const r = await call(p, "GET "+path); const n = (await r.text()).length; ts.push(Math.round(performance.now()-t)); if(!i) console.log(path, r.status, n);} console.log("   ms", ts.join(" ")); };
  const f = new Date((today-29)*86400000).toISOString().slice(0,10), t1 = new Date((today+1)*86400000).toISOString().slice(0,10);
  const f7 = new Date((today-6)*86400000).toISOString().slice(0,10);
  await time(`/v1/usage?metric=${m.slug}&from=${f}&to=${t1}`);
  await time(`/v1/usage?metric=${m.slug}&from=${f}&to=${t1}&group_by=model`);
  await time(`/v1/usage?metric=${m.slug}&from=${f}&to=${t1}&tz=Europe/Berlin`);
  await time(`/v1/usage?metric=${m.slug}&from=${f7}&to=${t1}&tz=Europe/Berlin`);
  await time(`/v1/usage?metric=${m.slug}&from=${f7}&to=${t1}&grain=hour`);
  await time(`/v1/usage?metric=${m.slug}&from=${f7}&to=${t1}&customer_id=customer-77&grain=hour`);
  await time(`/v1/usage?metric=${m.slug}&from=${f}&to=${t1}&customer_id=customer-77`);
  await time(`/v1/customers/customer-77/usage?days=30`);
  await time(`/v1/reports/top-customers?metric=${m.slug}&days=30&limit=20`);
  await time(`/v1/reports/top-customers?metric=${m.slug}&days=30&limit=500`);
  await time(`/v1/reports/top-customers?metric=${m.slug}&days=7&limit=20`);
  await env.DB.prepare("UPDATE projects SET time_zone='Europe/Berlin' WHERE id=?").bind(p.id).run();
  await time(`/v1/reports/top-customers?metric=${m.slug}&days=30&limit=20`);
  await time(`/v1/customers/customer-77/usage?days=30`);
}, 300000);
