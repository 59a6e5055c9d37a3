import { insertMetric, metricOf } from "@tidemark/testing/metric";
import { PROJECT_ID } from "../harness/project.ts";
import { type Filling, lastAtSql, metricId, valueSql } from "./rows.ts";

/** Fills D1 with daily aggregates as meters have sent them. */
export async function fillD1(database: D1Database, { customers, days, metrics }: Filling, today: number) {
  for (let metric = 0; metric < metrics; metric++) {
    const definition = metricOf({ id: metricId(metric), slug: `insight_${metric}` });
    await database.batch(insertMetric(database, PROJECT_ID, definition));
    for (let day = today - days + 1; day <= today; day++)
      await database.prepare(insertDay(metric, day)).bind(customers, metricId(metric), day, PROJECT_ID).run();
  }
  await database.prepare(CUSTOMERS).bind(customers, PROJECT_ID).run();
}

const RANKS = "WITH RECURSIVE ranks(rank) AS (SELECT 1 UNION ALL SELECT rank + 1 FROM ranks WHERE rank < ?1)";
const CUSTOMER = "printf('customer-%06d', rank)";

function insertDay(metric: number, day: number): string {
  const value = valueSql("rank", String(day), metric);
  return `${RANKS}
    INSERT INTO usage_days (project_id, metric_id, day, customer_id, version, value, events, rejected, last_at, groups)
    SELECT ?4, ?2, ?3, ${CUSTOMER}, 1, ${value}, ${value}, 0, ${lastAtSql("rank", String(day))},
      '[{"labels":[],"value":"' || ${value} || '","events":' || ${value} || ',"hours":{"0":"' || ${value} || '"}}]'
    FROM ranks`;
}

const CUSTOMERS = `${RANKS}
  INSERT INTO customers (project_id, customer_id, first_seen_at, created_at) SELECT ?2, ${CUSTOMER}, 0, 0 FROM ranks`;
