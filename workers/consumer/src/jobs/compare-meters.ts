import { type CompareReply, type JobDifference, type JobProgress, meterName } from "@tidemark/contract";
import { listJobCustomers, markBooks } from "@tidemark/db/job-customers";
import type { Job } from "@tidemark/db/jobs";
import type { ConsumerEnv } from "../env.ts";
import { compareStored } from "./compare-stored.ts";
import type { Step } from "./run-job.ts";
import { thoseThatWorked } from "./those-that-worked.ts";

/** Meters compared in one step. */
const METERS_PER_STEP = 20;
/** Differences that a job lists. */
const DIFFERENCES_MAX = 100;

/** Compares the next few meters with their second books, and for a verification with the database too. */
export async function compareMeters(env: ConsumerEnv, job: Job, progress: JobProgress): Promise<Step> {
  const open = await listJobCustomers(env.DB, job, "open", METERS_PER_STEP);
  if (open.length === 0) return { progress: { ...progress, phase: "closing" } };
  const { customers, results: compared } = await thoseThatWorked(open, (customer) => compareMeter(env, job, customer));
  // What a backfill adds is no difference worth telling, only how much it was.
  const differences = job.kind === "backfill" ? [] : compared.flatMap((meter) => meter.differences);
  return {
    writes: [markBooks(env.DB, job, customers, "compared")],
    progress: {
      ...progress,
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
}

async function compareMeter(env: ConsumerEnv, job: Job, customer_id: string): Promise<ComparedMeter> {
  const address = { project_id: job.project_id, customer_id };
  const meter = env.METERS.get(env.METERS.idFromName(meterName(address.project_id, customer_id)));
  const { days, differences, difference_count, digests } = await meter.compare(address, job.id);
  const stored = job.kind === "verify" ? await compareStored(env.DB, address, digests) : NOT_COMPARED;
  return {
    days,
    pending: stored.pending,
    difference_count: difference_count + stored.differences.length,
    differences: [...differences.map((difference) => toJobDifference(customer_id, difference)), ...stored.differences],
  };
}

const NOT_COMPARED = { pending: 0, differences: [] };

function toJobDifference(customer_id: string, difference: CompareReply["differences"][number]): JobDifference {
  const { metric_id, day, meter, archive } = difference;
  return { customer_id, metric_id, day, with: "archive", detail: `The meter says ${meter}; the archive ${archive}.` };
}

function sum(meters: readonly ComparedMeter[], field: "days" | "pending" | "difference_count"): number {
  return meters.reduce((total, meter) => total + meter[field], 0);
}
