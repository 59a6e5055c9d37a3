import { createRoute } from "@hono/zod-openapi";
import {
  type DestinationChange,
  DestinationChangeSchema,
  DestinationSchema,
} from "@tidemark/contract/destination-schema";
import { endAllOf } from "@tidemark/db/attempts";
import {
  type DestinationRow,
  type DestinationUpdate,
  updateDestination as storeDestination,
} from "@tidemark/db/destinations";
import * as z from "zod";
import type { QueryApp } from "../../env.ts";
import { jsonBody } from "../../plumbing/json-body.ts";
import { requires } from "../../plumbing/requires.ts";
import { body, failures, json, KEYED } from "../../plumbing/routes.ts";
import { noSuchDestination, requireDestination, sealAddress, toDestination } from "./destination.ts";

const route = createRoute({
  method: "patch",
  path: "/v1/destinations/{id}",
  tags: ["Destinations"],
  summary: "Change a destination",
  description:
    "What is left out stays as it is; its kind and its secret stay in any case. A destination that was disabled stays so " +
    "until `enabled` says otherwise.",
  security: KEYED,
  middleware: [requires("admin"), jsonBody] as const,
  request: { params: z.object({ id: z.string() }), body: body(DestinationChangeSchema) },
  responses: { 200: json(DestinationSchema, "The destination as it is now."), ...failures(404, 413, 415) },
});

export function updateDestination(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const { env } = context;
    const address = { project_id: context.get("principal").project_id, id: context.req.valid("param").id };
    const { url: text, ...wanted } = context.req.valid("json");
    const row = await requireDestination(env.DB, address);
    const moved =
      text === undefined ? {} : { ...(await sealAddress(env, row, { text, requestUrl: context.req.url })), ...AFRESH };
    const changed = await storeDestination(env.DB, address, { ...moved, ...toUpdate(row, wanted, Date.now()) });
    if (changed === undefined) throw noSuchDestination();
    if (wanted.enabled === false) await endAllOf(env.DB, address, Date.now()).run();
    return context.json(toDestination(changed), 200);
  });
}

/** Whoever moves or enables it says that it works: what failed before is forgotten, and it is asked at once. */
const AFRESH = { failing_since: null, next_at: 0 };

function toUpdate(
  { disabled_at }: DestinationRow,
  { name, wants, enabled }: Omit<DestinationChange, "url">,
  now: number,
): DestinationUpdate {
  return {
    ...(name === undefined ? {} : { name }),
    ...(wants === undefined ? {} : { wants: wants === null ? null : JSON.stringify(wants) }),
    ...(enabled === true ? { disabled_at: null, disabled_reason: null, failing_since: null } : {}),
    // One that is enabled already goes on hearing what is on its way.
    ...(enabled === true && disabled_at !== null ? { enabled_at: now, ...AFRESH } : {}),
    ...(enabled === false ? { disabled_at: now, disabled_reason: "by_person" as const } : {}),
    updated_at: now,
  };
}
