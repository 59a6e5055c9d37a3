import { DELIVERY_KEPT_MS, NOTICE_KEPT_MS } from "@tidemark/contract";
import { deleteOldDeliveries } from "@tidemark/db/deliveries";
import { deleteOldNotices } from "@tidemark/db/notices";
import type { ConsumerEnv } from "../env.ts";

/** Deliveries, and notices, forgotten in one run. */
const FORGOTTEN_MAX = 1_000;

/** Forgets deliveries that ended long ago, and then notices that nothing is left of but themselves. */
export async function forgetNotices({ DB }: Pick<ConsumerEnv, "DB">, now: number): Promise<void> {
  await deleteOldDeliveries(DB, now - DELIVERY_KEPT_MS, FORGOTTEN_MAX);
  await deleteOldNotices(DB, now - NOTICE_KEPT_MS, FORGOTTEN_MAX);
}
