import { createKey } from "@tidemark/testing/tenant";
import { startPostgres } from "../decisions/stores/start-program.ts";
import { type Benchmark, ceilingGoal, type Figure } from "../figure.ts";
import { bundle } from "../harness/bundle.ts";
import { makeProject, PEPPER } from "../harness/make-project.ts";
import { PROJECT_ID } from "../harness/project.ts";
import { readSettings } from "../harness/read-settings.ts";
import { startWorkers } from "../harness/start-workers.ts";
import { median } from "../harness/statistics.ts";
import { renderTable } from "../table.ts";
import { fillD1 } from "./fill-d1.ts";
import { PostgresUsage } from "./postgres.ts";
import { QueryWorker } from "./query-client.ts";
import { type Filling, metricId } from "./rows.ts";

const TODAY = (): number => Math.floor(Date.now() / 86_400_000);
const ROWS_MAX = 700;

/** A size with what was measured at it. */
interface Measured {
  readonly filling: Filling;
  readonly ours: number;
  readonly anew: number;
  readonly theirs: number | undefined;
  readonly rows: number;
  readonly rowsAnew: number;
}

/**
 * The top 20 with their days: as the API answers it, from what it keeps and made anew, against
 * PostgreSQL with the same rows and the two queries that a team would write, in turns.
 */
export const insight: Benchmark = async ({ quick }) => {
  const scale = quick ? 10 : 1;
  const sizes: readonly Filling[] = [
    { customers: 10_000 / scale, days: 30, metrics: 5 },
    { customers: 10_000 / scale, days: 365, metrics: 1 },
    { customers: 100_000 / scale, days: 30, metrics: 1 },
  ];
  const postgres = await startPostgres();
  if (postgres === undefined) console.log("PostgreSQL is not installed: its rows are left out.");
  const measured: Measured[] = [];
  try {
    for (const filling of sizes) measured.push(await measure(filling, postgres?.port, quick ? 2 : 4));
  } finally {
    postgres?.stop();
  }
  console.log(renderTable(["", "kept ms", "rows", "anew ms", "rows", "PostgreSQL ms"], measured.map(toRow)));
  return toFigures(measured);
};

async function measure(filling: Filling, postgresPort: number | undefined, turns: number): Promise<Measured> {
  const worker = {
    ...readSettings("workers/query/wrangler.toml"),
    name: "query",
    script: await bundle("bench/src/insight/query-worker.ts"),
    bindings: { KEY_PEPPER: PEPPER, WEBHOOK_ORIGINS: "" },
    durableObjects: {},
  };
  const workers = await startWorkers({ workers: [worker] });
  const database = await workers.miniflare.getD1Database("DB", "query");
  await makeProject(database);
  const key = await createKey({ DB: database, KEY_PEPPER: PEPPER }, PROJECT_ID, "read");
  const today = TODAY();
  await fillD1(database, filling, today);
  const theirs = postgresPort === undefined ? undefined : new PostgresUsage(postgresPort);
  await theirs?.fill(filling, today);
  const ours = new QueryWorker(await workers.url("query"), key);
  try {
    return await compare({ filling, ours, theirs, today, turns });
  } finally {
    await theirs?.close();
    await workers.stop();
  }
}

interface Sides {
  readonly filling: Filling;
  readonly ours: QueryWorker;
  readonly theirs: PostgresUsage | undefined;
  readonly today: number;
  readonly turns: number;
}

/** Requests of a turn, and how many of them go with one that is made anew and one to PostgreSQL, which take long. */
const ASKED = 8;
const EACH_WITH = 4;

async function compare({ filling, ours, theirs, today, turns }: Sides): Promise<Measured> {
  const times = { kept: [] as number[], anew: [] as number[], theirs: [] as number[] };
  const rows: number[] = [];
  let rowsAnew = 0;
  for (let turn = 0; turn <= turns; turn++) {
    const metric = turn % filling.metrics;
    const expected = await theirs?.top(metricId(metric), today);
    const took = { kept: [] as number[], anew: [] as number[], theirs: [] as number[] };
    for (let i = 0; i < ASKED; i++) {
      if (i % EACH_WITH === 0) {
        await ours.forget();
        const anew = await ours.top(metric);
        took.anew.push(anew.milliseconds);
        rowsAnew = anew.rows;
        if (expected !== undefined) ours.check(anew.report, expected.ranked);
        const startedAt = performance.now();
        await theirs?.top(metricId(metric), today);
        took.theirs.push(performance.now() - startedAt);
      }
      const kept = await ours.top(metric);
      took.kept.push(kept.milliseconds);
      rows.push(kept.rows);
    }
    // In the first, everything is compiled.
    if (turn === 0) continue;
    for (const side of ["kept", "anew", "theirs"] as const) times[side].push(median(took[side]));
  }
  const asTheirs = theirs === undefined ? undefined : median(times.theirs);
  return {
    filling,
    ours: median(times.kept),
    anew: median(times.anew),
    theirs: asTheirs,
    rows: median(rows),
    rowsAnew,
  };
}

function toFigures(measured: readonly Measured[]): readonly Figure[] {
  const [first, ...larger] = measured;
  if (first === undefined) return [];
  const figures: Figure[] = [
    {
      name: `top 20 + days, ${nameOf(first)}: rows read`,
      ours: String(first.rows),
      rival: "",
      goal: ceilingGoal(first.rows, ROWS_MAX),
    },
  ];
  for (const each of measured) {
    if (each.theirs === undefined) continue;
    const ratio = each.ours / each.theirs;
    figures.push(
      {
        name: `top 20 + days ÷ PostgreSQL, ${nameOf(each)}, ms`,
        ours: each.ours.toFixed(2),
        rival: each.theirs.toFixed(2),
        ratio,
        goal: ceilingGoal(ratio, 0.1),
      },
      {
        name: `the same made anew, ${each.rowsAnew} rows`,
        ours: each.anew.toFixed(1),
        rival: each.theirs.toFixed(1),
        ratio: each.anew / each.theirs,
      },
    );
  }
  for (const each of larger) {
    const ratio = Math.max(each.ours / first.ours, each.rows / first.rows);
    figures.push({
      name: `${nameOf(each)} ÷ ${nameOf(first)}, time or rows`,
      ours: `${each.ours.toFixed(2)} ms, ${each.rows}`,
      rival: `${first.ours.toFixed(2)} ms, ${first.rows}`,
      ratio,
      goal: ceilingGoal(ratio, 1.3),
    });
  }
  return figures;
}

function nameOf({ filling: { customers, days, metrics } }: Measured): string {
  return `${customers.toLocaleString("en")} × ${days} × ${metrics}`;
}

function toRow(each: Measured): readonly string[] {
  const { ours, rows, anew, rowsAnew, theirs } = each;
  return [nameOf(each), ours.toFixed(2), String(rows), anew.toFixed(1), String(rowsAnew), theirs?.toFixed(1) ?? ""];
}
