import { type ArchiveQuery, FIRST_STEP, type ProblemDetail } from "@tidemark/contract";
import { propertyPathFault } from "@tidemark/contract/property-path-schema";
import { ARCHIVE_PROPERTIES_MAX, ARCHIVE_QUERIES_MAX } from "@tidemark/contract/query-limits";
import type { ArchiveQuestion } from "@tidemark/contract/query-schema";
import { ARCHIVE_GROUPS, PROPERTY_PREFIX } from "@tidemark/contract/query-words";
import { dayOf } from "@tidemark/core/timestamp";
import { insertQuery, type Job, listActiveQueries } from "@tidemark/db/jobs";
import { Problem } from "@tidemark/http/problem";
import type { QueryEnv } from "../../env.ts";
import { invalid } from "../../plumbing/issues.ts";
import { newId } from "../../plumbing/new-id.ts";
import { requireProject } from "../../project.ts";
import { announceJob } from "../jobs/begin-job.ts";
import { readSpan } from "./read-period.ts";

/**
 * Begins to answer a question over the archive. Asked again while that is under way, it is the same job.
 *
 * @throws Problem invalid_request, conflict while too many are under way.
 */
export async function beginArchiveQuery(env: QueryEnv, projectId: string, question: ArchiveQuestion): Promise<Job> {
  checkGroups(question.group_by);
  const now = Date.now();
  const project = await requireProject(env.DB, projectId);
  const time_zone = question.tz ?? project.time_zone;
  const { start, end } = readSpan(question.range, { now, timeZone: time_zone });
  const query: ArchiveQuery = { question, from: start, to: end, time_zone };
  const wanted = JSON.stringify(query);
  const active = await listActiveQueries(env.DB, projectId, ARCHIVE_QUERIES_MAX);
  const same = active.find(({ params }) => JSON.stringify(params.query) === wanted);
  if (same !== undefined) return same;
  const job: Job = {
    project_id: projectId,
    id: newId("job"),
    kind: "query",
    state: "waiting",
    params: { metric: null, customer_id: null, from_day: dayOf(start), to_day: dayOf(end - 1), query },
    progress: FIRST_STEP,
    created_at: now,
    updated_at: now,
    finished_at: null,
  };
  if (await insertQuery(env.DB, job, ARCHIVE_QUERIES_MAX)) {
    await announceJob(env, job);
    return job;
  }
  throw new Problem(
    "conflict",
    `The project has ${ARCHIVE_QUERIES_MAX} questions over the archive under way: ask again when one is done; GET /v1/jobs lists them.`,
  );
}

const GROUPS: ReadonlySet<string> = new Set(ARCHIVE_GROUPS);

function checkGroups(names: readonly string[]): void {
  const faults: ProblemDetail[] = [];
  const properties = names.flatMap((name, index) => {
    if (GROUPS.has(name)) return [];
    const path = name.startsWith(PROPERTY_PREFIX) ? name.slice(PROPERTY_PREFIX.length) : name;
    const fault = propertyPathFault(path);
    if (fault !== undefined)
      faults.push({
        pointer: `/group_by/${index}`,
        code: "invalid_value",
        detail: `Must be ${ARCHIVE_GROUPS.join(", ")} or a property. ${fault}`,
      });
    return [path];
  });
  if (properties.length > ARCHIVE_PROPERTIES_MAX)
    faults.push({
      pointer: "/group_by",
      code: "too_big",
      detail: `Must name at most ${ARCHIVE_PROPERTIES_MAX} properties, beside customer, event and day.`,
    });
  if (faults.length > 0) throw invalid(faults);
}
