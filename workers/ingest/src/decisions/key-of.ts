import { ID_LENGTH_MAX } from "@tidemark/contract";
import { isPlain } from "@tidemark/contract/event-check";
import { Problem } from "@tidemark/http/problem";

/**
 * What the `Idempotency-Key` header says, which stands for an id that the body does not have; `null` without one.
 *
 * @throws Problem invalid_request
 */
export function keyOf(request: Request): string | null {
  const key = request.headers.get("idempotency-key");
  if (key === null || isPlain(key, ID_LENGTH_MAX)) return key;
  const detail = `Must be text of 1 to ${ID_LENGTH_MAX} ordinary characters.`;
  throw new Problem("invalid_request", detail, { errors: [{ pointer: "/idempotency-key", code: "invalid", detail }] });
}
