import * as z from "zod";

const CheckSchema = z.enum(["ok", "failing"]);

export const HealthSchema = z
  .object({
    status: z.enum(["ok", "degraded"]),
    checks: z.object({ database: CheckSchema }),
    version: z.string(),
  })
  .meta({ id: "Health" });
