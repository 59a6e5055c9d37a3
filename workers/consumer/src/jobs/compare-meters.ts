import { type CompareReply, type JobDifference, type JobProgress, meterName } from "@tidemark/contract";
import { type JobCustomer, listJobCustomers, markBooks } from "@tidemark/db/job-customers";
import type { Job } from "@tidemark/db/jobs";
import { deleteStoredRows } from "@tidemark/db/stored-rows";
import type { ConsumerEnv } from "../env.ts";
import { compareStored } from "./compare-stored.ts";
import { PASSES_MAX } from "./count-archive.ts";
import type { Step } from "./run-job.ts";
import { thoseThatWorked } from "./those-that-worked.ts";

/** Meters compared in one step. */
const METERS_PER_STEP = 20;
/** Differences that a job lists. */
const DIFFERENCES_MAX = 100;

/** Compares the next few meters with their second books, and for a verification with the database too. */
export async function compareMeters(env: ConsumerEnv, job: Job, progress: JobProgress): Promise<Step> {
  const page = { states: ["open"], after: progress.cursor, limit: METERS_PER_STEP } as const;
  const open = await listJobCustomers(env.DB, job, page);
  if (open.length === 0) {
    // Those that failed are met again from the beginning.
    const phase = progress.cursor === null ? "closing" : "comparing";
    return { progress: { ...progress, phase, cursor: null } };
  }
  const { items, results: compared } = await thoseThatWorked(open, (customer) => compareMeter(env, job, customer));
  const customers = items.map(({ customer_id }) => customer_id);
  // What a backfill adds is no difference worth telling, only how much it was.
  const differences = job.kind === "backfill" ? [] : compared.flatMap((meter) => meter.differences);
  return {
    writes: [markBooks(env.DB, job, customers, "compared"), ...compared.flatMap((meter) => meter.writes)],
    progress: {
      ...progress,
      cursor: open.at(-1)?.customer_id ?? null,
      customers: progress.customers + customers.length,
      days: progress.days + sum(compared, "days"),
      pending: progress.pending + sum(compared, "pending"),
      difference_count: progress.difference_count + sum(compared, "difference_count"),
      differences: [...progress.differences, ...differences].slice(0, DIFFERENCES_MAX),
    },
  };
}

interface ComparedMeter {
  readonly days: number;
  readonly pending: number;
  readonly difference_count: number;
  readonly differences: readonly JobDifference[];
  readonly writes: readonly D1PreparedStatement[];
}

async function compareMeter(env: ConsumerEnv, job: Job, { customer_id, pass }: JobCustomer): Promise<ComparedMeter> {
  // Who was new in the last pass stays as it is.
  if (pass === PASSES_MAX) return NOTHING_COMPARED;
  const address = { project_id: job.project_id, customer_id };
  const meter = env.METERS.get(env.METERS.idFromName(meterName(address.project_id, customer_id)));
  const { days, differences, difference_count, digests } = await meter.compare(address, job.id);
  const stored = job.kind === "backfill" ? NOTHING_STORED : await compareStored(env.DB, address, digests);
  // What is wrong there, and would not be replaced because its version says that it is new, makes room.
  const isMended = job.kind === "rebuild" && stored.differences.length > 0;
  return {
    writes: isMended ? [deleteStoredRows(env.DB, address, stored.differences)] : [],
    days,
    pending: stored.pending,
    difference_count: difference_count + stored.differences.length,
    differences: [...differences.map((difference) => toJobDifference(customer_id, difference)), ...stored.differences],
  };
}

const NOTHING_STORED = { pending: 0, differences: [] };
const NOTHING_COMPARED: ComparedMeter = { days: 0, difference_count: 0, writes: [], ...NOTHING_STORED };

function toJobDifference(customer_id: string, difference: CompareReply["differences"][number]): JobDifference {
  const { metric_id, day, meter, archive } = difference;
  return { customer_id, metric_id, day, with: "archive", detail: `The meter says ${meter}; the archive ${archive}.` };
}

function sum(meters: readonly ComparedMeter[], field: "days" | "pending" | "difference_count"): number {
  return meters.reduce((total, meter) => total + meter[field], 0);
}
