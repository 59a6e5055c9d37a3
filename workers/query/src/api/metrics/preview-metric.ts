import { createRoute } from "@hono/zod-openapi";
import { PreviewInputSchema, PreviewSchema } from "@tidemark/contract/preview-schema";
import { parseExactJson } from "@tidemark/core/event";
import { type Exact, toExact } from "@tidemark/core/exact";
import { type PreviewEvent, previewMetric as preview } from "@tidemark/core/preview";
import { assignColors } from "@tidemark/core/segment-colors";
import type { QueryApp } from "../../env.ts";
import { invalid } from "../../plumbing/issues.ts";
import { jsonBody } from "../../plumbing/json-body.ts";
import { requires } from "../../plumbing/requires.ts";
import { body, failures, json, KEYED } from "../../plumbing/routes.ts";

const route = createRoute({
  method: "post",
  path: "/v1/metrics/preview",
  tags: ["Metrics"],
  summary: "Try a metric on events",
  description: "What each event would do, by the rules that count. Nothing is stored.",
  security: KEYED,
  middleware: [requires("read"), jsonBody] as const,
  request: { body: body(PreviewInputSchema) },
  responses: { 200: json(PreviewSchema, "What the metric makes of the events."), ...failures(413, 415) },
});

export function previewMetric(app: QueryApp): void {
  app.openapi(route, (context) => {
    const { metric, state } = context.req.valid("json");
    const answer = preview(
      { ...metric, segments: assignColors(metric.segments) },
      exactEvents(context.get("body_text") ?? "{}"),
      {
        now: Date.now(),
        origin: new URL(context.req.url).origin,
        state: state === undefined ? null : readState(state.value, metric.decimal_places),
      },
    );
    return context.json(answer, 200);
  });
}

/** The events, which have been checked, as ingest reads them: without rounding a number. */
function exactEvents(text: string): readonly PreviewEvent[] {
  return (parseExactJson(text).value as { readonly events?: readonly PreviewEvent[] }).events ?? [];
}

function readState(value: string | number, places: number): Exact {
  const state = toExact(value, places);
  if (typeof state !== "string") return state;
  const detail = `Must be a decimal of at most ${places} places that fits 64 bits.`;
  throw invalid([{ pointer: "/state/value", code: state, detail }]);
}
