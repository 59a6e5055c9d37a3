import type { DeliverMessage } from "@tidemark/contract";
import type { ConsumerEnv } from "../env.ts";

/** A queue keeps a message back for twelve hours at most; whoever gets one too early sends it on. */
const DELAY_SECONDS_MAX = 43_200;

/** Has a delivery attempted when a time has come. */
export async function sendLater(
  { NOTIFICATIONS }: Pick<ConsumerEnv, "NOTIFICATIONS">,
  message: DeliverMessage,
  delayMs: number,
): Promise<void> {
  const delaySeconds = Math.min(Math.ceil(Math.max(0, delayMs) / 1_000), DELAY_SECONDS_MAX);
  await NOTIFICATIONS.send(JSON.stringify(message), { contentType: "text", delaySeconds });
}
