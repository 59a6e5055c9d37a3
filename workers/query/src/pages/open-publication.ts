import type { TopCustomersAnswer } from "@tidemark/contract/report-schema";
import { findMetric } from "@tidemark/db/metrics";
import { findPublished } from "@tidemark/db/publications";
import { sha256 } from "@tidemark/http/digest";
import { equalDigests } from "@tidemark/http/keys";
import { toMetric } from "../api/metrics/metric.ts";
import { readQuery } from "../api/publications/publication.ts";
import { topCustomers } from "../api/reports/top-customers.ts";
import { requireProject } from "../project.ts";

/**
 * What a publication shows to whoever has its key.
 *
 * @returns `undefined` when the id is unknown, the key is wrong, or it has expired or was revoked. All of
 * these hash and compare a key, so that the time tells them apart as little as the answer does.
 */
export async function openPublication(
  db: D1Database,
  id: string,
  key: string,
): Promise<{ readonly title: string; readonly report: TopCustomersAnswer } | undefined> {
  // What no link of ours looks like is not looked up.
  if (!ID.test(id) || !KEY.test(key)) return undefined;
  const [row, hash] = await Promise.all([findPublished(db, id), sha256(key)]);
  const isKey = equalDigests(row?.key_hash ?? NO_HASH, hash);
  if (row === undefined || !isKey || row.revoked_at !== null) return undefined;
  if (row.expires_at !== null && row.expires_at <= Date.now()) return undefined;
  const { params } = readQuery(row);
  const [project, metric] = await Promise.all([
    requireProject(db, row.project_id),
    findMetric(db, row.project_id, params.metric),
  ]);
  if (metric === undefined) return undefined;
  return { title: row.title, report: await topCustomers(db, { project, metric: toMetric(metric) }, params) };
}

const ID = /^pub_[0-9A-Za-z]{20}$/;
const KEY = /^[0-9A-Za-z]{32}$/;

/** As long as a hash, and no text has it. */
const NO_HASH = "-".repeat(64);
