import type { Publication } from "@tidemark/contract/publication-schema";
import { DAY_MS } from "@tidemark/core/timestamp";
import type { QueryEnv } from "../src/index.ts";
import { call, json, makeMetric, makeProject, store, type TestProject } from "./fixture.ts";

/** When publications of tests are made and opened. */
export const NOW = Date.parse("2026-11-21T15:30:00Z");

/** The answer that has a link. */
export type Published = Publication & { readonly public_url: string };

/** A publication with its link taken apart. */
export interface PublishedLink {
  readonly project: TestProject;
  readonly made: Published;
  /** `/q/pub_…`. */
  readonly path: string;
  readonly key: string;
}

/** Names that a page must show as text, and a spreadsheet must not run. */
export const HOSTILE = "acme <script>alert(1)</script>";
export const FORMULA = "=globex";

export const RANKING = {
  report: "top-customers",
  params: { metric: "api_requests", days: 7, limit: 5 },
  title: "Top <b>customers</b> & more",
};

/** A project with a metric by endpoint and status, and three customers who used it. */
export async function makeUsedProject(): Promise<TestProject> {
  const project = await makeProject();
  const metric = await makeMetric(project, { group_by: ["endpoint", "status"] });
  await store(project, metric.id, [
    { customer: HOSTILE, at: NOW, labels: ["/chat", "200"] },
    { customer: HOSTILE, at: NOW - DAY_MS, labels: ["/chat", "500"] },
    { customer: FORMULA, at: NOW, labels: ["/embed", "404"] },
    ...Array.from({ length: 12 }, (_, day) => ({
      customer: "quiet",
      at: NOW - (day + 9) * DAY_MS,
      labels: ["/embed", "200"],
    })),
  ]);
  return project;
}

/** Publishes; without a project in one of its own. */
export async function publish(body: object = {}, project?: TestProject): Promise<PublishedLink> {
  const owner = project ?? (await makeUsedProject());
  const asked = "query" in body ? { title: RANKING.title } : RANKING;
  const made = await json<Published>(owner, "POST /v1/publications", { body: { ...asked, ...body }, status: 201 });
  const url = new URL(made.public_url);
  return { project: owner, made, path: url.pathname, key: url.searchParams.get("key") ?? "" };
}

export interface OpenOptions {
  readonly method?: string;
  /** Whose the request is; somebody new each time when left out, who has not failed yet. */
  readonly address?: string;
  readonly bindings?: Partial<QueryEnv>;
}

let readers = 0;

/** Opens a link as somebody without an account does. */
export function open(project: TestProject, path: string, options: OpenOptions = {}): Promise<Response> {
  const { method = "GET", address = `198.51.100.${++readers}`, bindings = {} } = options;
  return call(project, `${method} ${path}`, { key: null, headers: { "cf-connecting-ip": address }, bindings });
}
