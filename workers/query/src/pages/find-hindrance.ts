import { Problem } from "@tidemark/http/problem";
import type { Hindrance } from "@tidemark/ui";

/**
 * Why a question that was answered when it was published is refused now; `undefined` when something else went wrong.
 * A metric may have been deleted, or changed to what the report cannot be made of, or there is too much by now.
 */
export function findHindrance(error: unknown): Hindrance | undefined {
  if (!(error instanceof Problem)) return undefined;
  if (error.code === "not_found") return "changed";
  if (error.code !== "invalid_request") return undefined;
  const [fault] = error.errors ?? [];
  if (fault?.code === "too_many_rows") return "outgrown";
  return fault !== undefined && /^\/(range|tz)(\/|$)/.test(fault.pointer) ? "out_of_range" : "changed";
}
