import type { StoredNotice } from "@tidemark/contract/webhook-event";
import type { WaitingDelivery } from "@tidemark/db/attempts";

/** The notice that a delivery carries. */
export function toNotice({ notice_id, kind, customer_id, at, body }: WaitingDelivery): StoredNotice {
  return { id: notice_id, kind, customer_id, at, body };
}
