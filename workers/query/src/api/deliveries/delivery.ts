import type { Delivery } from "@tidemark/contract/delivery-schema";
import { type DeliveryDetail, type DeliveryRow, findDelivery } from "@tidemark/db/deliveries";
import { Problem } from "@tidemark/http/problem";
import { toInstantText, toOptionalInstant } from "../../plumbing/instant.ts";

/** A stored delivery as it is answered. */
export function toDelivery(row: DeliveryRow): Delivery {
  const { id, destination_id, notice_id, kind, state, attempts } = row;
  return {
    id,
    destination_id,
    notice_id,
    kind,
    state,
    attempts,
    next_attempt_at: state === "waiting" ? toInstantText(row.next_at) : null,
    last_attempt:
      row.last_at === null
        ? null
        : { at: toInstantText(row.last_at), status: row.last_status, latency_ms: row.last_latency_ms },
    error: row.last_error,
    created_at: toInstantText(row.created_at),
    ended_at: toOptionalInstant(row.ended_at),
  };
}

/** @throws Problem not_found, the same whether it is nobody's or another project's. */
export async function requireDelivery(
  db: D1Database,
  address: { readonly project_id: string; readonly id: string },
): Promise<DeliveryDetail> {
  const row = await findDelivery(db, address);
  if (row === undefined)
    throw new Problem("not_found", "The project has no delivery with this id; GET /v1/deliveries lists those it has.");
  return row;
}
