import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { insertMetric } from "@tidemark/testing/metric";
import { createTenant } from "@tidemark/testing/tenant";
import { WORKLOAD_METRICS } from "@tidemark/testing/workload";
import { unstable_splitSqlQuery } from "wrangler";
import { ROOT } from "./bundle.ts";
import { PROJECT_ID } from "./project.ts";

export const PEPPER = "5a".repeat(32);

/** Migrates the database, makes a project with the metrics of the reference workload, and returns its ingest key. */
export async function makeProject(database: D1Database): Promise<string> {
  const directory = join(ROOT, "migrations");
  for (const name of readdirSync(directory)
    .filter((file) => file.endsWith(".sql"))
    .toSorted()) {
    const sql = readFileSync(join(directory, name), "utf8");
    await database.batch(unstable_splitSqlQuery(sql).map((statement) => database.prepare(statement)));
  }
  const tenant = await createTenant({ DB: database, KEY_PEPPER: PEPPER }, PROJECT_ID);
  await database.batch(WORKLOAD_METRICS.flatMap((metric) => insertMetric(database, PROJECT_ID, metric)));
  return tenant.keys.ingest;
}
