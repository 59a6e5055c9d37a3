import type { NotifyMessage } from "@tidemark/contract";
import { takeStalled } from "@tidemark/db/deliveries";
import { listForgotten } from "@tidemark/db/notices";
import type { ConsumerEnv } from "../env.ts";
import { sendLater } from "./send-later.ts";

/** A message may be this late before anybody asks. */
const GRACE_MS = 3 * 60_000;
/** How far back notices are looked for of which no delivery was made. */
const FORGOTTEN_MS = 86_400_000;
/** Deliveries and notices woken in one run. */
const WOKEN_MAX = 500;
/** Ids in one message: each can be as long as a customer's. */
const IDS_MAX = 50;

/** Sends on deliveries whose message is lost, and notices of which none was made: a queue that forgets loses nothing. */
export async function wakeDeliveries(env: ConsumerEnv, now: number): Promise<void> {
  const before = now - GRACE_MS;
  for (const message of await takeStalled(env.DB, { before, now }, WOKEN_MAX)) await sendLater(env, message, 0);
  const forgotten = await listForgotten(env.DB, { from: now - FORGOTTEN_MS, to: before }, WOKEN_MAX);
  for (const [project_id, notices] of Map.groupBy(forgotten, (notice) => notice.project_id)) {
    for (let at = 0; at < notices.length; at += IDS_MAX) {
      const notice_ids = notices.slice(at, at + IDS_MAX).map(({ id }) => id);
      const message: NotifyMessage = { kind: "notify", project_id, notice_ids };
      await env.NOTIFICATIONS.send(JSON.stringify(message), { contentType: "text" });
    }
  }
}
