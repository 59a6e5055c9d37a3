import type { DigestBody } from "@tidemark/contract/digest-schema";
import type { CrossingBody, DisabledBody, TestBody } from "@tidemark/contract/notice";
import type { NoticeAnswer } from "@tidemark/contract/notice-schema";
import type { NoticeRow } from "@tidemark/db/notices";
import { toInstantText } from "../../plumbing/instant.ts";
import { toCycle } from "../definitions/standing.ts";

/**
 * A stored notice as it is answered.
 *
 * @param slugs what metrics are called now, by id: one that was deleted is called as it was then.
 */
export function toNotice(row: NoticeRow, slugs: ReadonlyMap<string, string>): NoticeAnswer {
  const told = { id: row.id, at: toInstantText(row.at) };
  const body: unknown = JSON.parse(row.body);
  switch (row.kind) {
    case "threshold_crossed": {
      const crossing = body as CrossingBody;
      const metric = slugs.get(row.metric_id) ?? crossing.metric;
      return { ...told, kind: row.kind, customer_id: row.customer_id, ...toCrossing(crossing), metric };
    }
    case "digest": {
      const digest = body as DigestBody;
      return { ...told, kind: row.kind, metric: slugs.get(row.metric_id) ?? digest.metric, digest };
    }
    case "webhook_test":
      return { ...told, kind: row.kind, ...(body as TestBody) };
    case "destination_disabled":
      return { ...told, kind: row.kind, ...(body as DisabledBody) };
  }
}

type Crossing = Extract<NoticeAnswer, { readonly kind: "threshold_crossed" }>;

function toCrossing(crossing: CrossingBody): Omit<Crossing, "id" | "at" | "kind" | "customer_id" | "metric"> {
  const { threshold_id, name, operator, line, segment, label, value, previous_value, allowance, cycle } = crossing;
  return {
    segment: segment ?? null,
    label: label === undefined || label === "" ? null : label,
    threshold_id,
    name,
    operator,
    line,
    value,
    previous_value: previous_value ?? null,
    allowance,
    cycle: toCycle({ start: Date.parse(cycle.start), end: Date.parse(cycle.end) }),
  };
}
