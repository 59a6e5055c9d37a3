import type { DigestAnswer } from "@tidemark/contract/digest-schema";
import { env } from "cloudflare:workers";
import { json, makeMetric, makeProject, type TestProject } from "./fixture.ts";

/** What the digests of tests are made with. */
export const DIGEST = { name: "Monday morning", metric: "m", destination_id: "dst_1" };

/** A project with a metric that sums, and a destination. */
export async function makeDigestProject(
  zone = "UTC",
): Promise<{ readonly project: TestProject; readonly metricId: string }> {
  const project = await makeProject(zone);
  const { id } = await makeMetric(project, { slug: "m", aggregation: "sum", value_property: "n" });
  await addDestination(project, DIGEST.destination_id);
  return { project, metricId: id };
}

/** Stores a destination that nothing is ever sent to. */
export async function addDestination(project: TestProject, id: string): Promise<void> {
  await env.DB.prepare(
    `INSERT INTO destinations (project_id, id, kind, name, url, shown_url, enabled_at, created_at, updated_at)
     VALUES (?, ?, 'slack', 'cs', '', '', 0, 0, 0)`,
  )
    .bind(project.id, id)
    .run();
}

/** Makes a digest through the API. */
export async function makeDigest(project: TestProject, change: object = {}): Promise<DigestAnswer> {
  return json(project, "POST /v1/digests", { body: { ...DIGEST, ...change }, status: 201 });
}
