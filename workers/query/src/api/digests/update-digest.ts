import { createRoute } from "@hono/zod-openapi";
import { type DigestChange, DigestChangeSchema, DigestSchema } from "@tidemark/contract/digest-schema";
import { weeklyAfter } from "@tidemark/core/weekly";
import { type DigestRow, updateDigest as storeDigest } from "@tidemark/db/digests";
import { Problem } from "@tidemark/http/problem";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { jsonBody } from "../../plumbing/json-body.ts";
import { requires } from "../../plumbing/requires.ts";
import { body, failures, json, KEYED } from "../../plumbing/routes.ts";
import { requireProject } from "../../project.ts";
import { requireNamedMetric } from "../metrics/metric.ts";
import { requireDigest, requireNamedDestination, toDigest } from "./digest.ts";

const route = createRoute({
  method: "patch",
  path: "/v1/digests/{id}",
  tags: ["Digests"],
  summary: "Change a digest",
  description: "What is left out stays as it is. Another weekday or hour holds from its next time on.",
  security: KEYED,
  middleware: [requires("admin"), jsonBody] as const,
  request: { params: z.object({ id: z.string() }), body: body(DigestChangeSchema) },
  responses: { 200: json(DigestSchema, "The digest as it is now."), ...failures(404, 409, 413, 415) },
});

export function updateDigest(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { project_id } = context.get("principal");
    const address = { project_id, id: context.req.valid("param").id };
    const row = await change(context.env.DB, address, context.req.valid("json"));
    return context.json(toDigest(row), 200);
  });
}

/** How often another request, or its being due, may change the digest that was just read. */
const ATTEMPTS = 5;

async function change(
  db: D1Database,
  { project_id, id }: Pick<DigestRow, "project_id" | "id">,
  wanted: DigestChange,
): Promise<DigestRow> {
  const { time_zone } = await requireProject(db, project_id);
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const previous = await requireDigest(db, project_id, id);
    const next = await toNext(db, previous, wanted, time_zone);
    if (await storeDigest(db, previous, next)) return next;
  }
  throw new Problem(
    "conflict",
    "Other requests are changing this digest, or its metric was deleted; read it and decide again.",
  );
}

async function toNext(
  db: D1Database,
  previous: DigestRow,
  { metric: slug, ...wanted }: DigestChange,
  timeZone: string,
): Promise<DigestRow> {
  const { project_id } = previous;
  const metric = slug === undefined ? undefined : await requireNamedMetric(db, project_id, slug);
  if (wanted.destination_id !== undefined) await requireNamedDestination(db, project_id, wanted.destination_id);
  const now = Date.now();
  const time = { weekday: wanted.weekday ?? previous.weekday, hour: wanted.hour ?? previous.hour };
  const isMoved = time.weekday !== previous.weekday || time.hour !== previous.hour;
  const next_at = isMoved ? weeklyAfter(now, time, timeZone) : previous.next_at;
  return {
    ...previous,
    ...time,
    name: wanted.name ?? previous.name,
    destination_id: wanted.destination_id ?? previous.destination_id,
    metric_id: metric?.id ?? previous.metric_id,
    metric: metric?.slug ?? previous.metric,
    next_at,
    // Whatever made it fail may be what was changed.
    try_at: next_at,
    last_error: metric === undefined ? previous.last_error : null,
    updated_at: Math.max(now, previous.updated_at + 1),
  };
}
