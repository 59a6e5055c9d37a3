import { DELIVERY_KEPT_MS, type NotifyMessage } from "@tidemark/contract";
import { deliveryId } from "@tidemark/http/delivery-id";
import { insertDeliveries } from "@tidemark/db/deliveries";
import { listWanted } from "@tidemark/db/notices";
import type { ConsumerEnv } from "../env.ts";
import { sendLater } from "./send-later.ts";

/** Makes a delivery for each destination that wants a notice, and has it attempted at once. Repeating it changes nothing. */
export async function announceNotices(env: ConsumerEnv, message: NotifyMessage, now: number): Promise<void> {
  const { project_id } = message;
  const wanted = await listWanted(env.DB, message, now - DELIVERY_KEPT_MS);
  const made = await Promise.all(
    wanted.map(async (each) => ({ ...each, id: await deliveryId(project_id, each.destination_id, each.notice_id) })),
  );
  if (made.length === 0) return;
  await insertDeliveries(env.DB, project_id, made, now).run();
  // One post to a channel carries all that waits for it: one message is enough.
  const channels = new Set<string>();
  for (const { id: delivery_id, destination_id, kind } of made) {
    if (channels.has(destination_id)) continue;
    if (kind === "slack") channels.add(destination_id);
    await sendLater(env, { kind: "deliver", project_id, destination_id, delivery_id, attempts: 0 }, 0);
  }
}
