import type { DeliverMessage } from "@tidemark/contract";
import type { QueryEnv } from "../../env.ts";

/** Has a delivery that waits attempted now. Where the queue does not answer, the cron trigger does it within minutes. */
export async function sendDelivery(
  { NOTIFICATIONS }: QueryEnv,
  address: Pick<DeliverMessage, "project_id" | "destination_id" | "delivery_id">,
): Promise<void> {
  const message: DeliverMessage = { kind: "deliver", ...address, attempts: 0 };
  try {
    await NOTIFICATIONS.send(JSON.stringify(message), { contentType: "text" });
  } catch (error) {
    console.error(JSON.stringify({ at: "send-delivery", ...address, error: String(error) }));
  }
}
