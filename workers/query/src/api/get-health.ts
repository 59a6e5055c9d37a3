import { createRoute } from "@hono/zod-openapi";
import { HealthSchema } from "@tidemark/contract/health-schema";
import type { QueryApp } from "../env.ts";
import { json } from "../plumbing/routes.ts";
import { VERSION } from "../version.ts";

const route = createRoute({
  method: "get",
  path: "/v1/health",
  tags: ["System"],
  summary: "Whether the deployment works",
  description: "Needs no key.",
  security: [],
  responses: { 200: json(HealthSchema, "Everything works."), 503: json(HealthSchema, "Something does not.") },
});

export function getHealth(app: QueryApp): void {
  app.openapi(route, async (context) => {
    const headers = { "cache-control": "no-store" };
    const database = await check(context.env.DB);
    const checks = { database } as const;
    if (database === "ok") return context.json({ status: "ok" as const, checks, version: VERSION }, 200, headers);
    return context.json({ status: "degraded" as const, checks, version: VERSION }, 503, headers);
  });
}

async function check(db: D1Database): Promise<"ok" | "failing"> {
  try {
    await db.prepare("SELECT id FROM projects LIMIT 1").all();
    return "ok";
  } catch (error) {
    console.error(JSON.stringify({ at: "health", error: String(error) }));
    return "failing";
  }
}
