import { MESSAGE_BYTES_MAX, type NotifyMessage } from "@tidemark/contract";
import { takeStalled } from "@tidemark/db/deliveries";
import { listForgotten } from "@tidemark/db/notices";
import type { ConsumerEnv } from "../env.ts";
import { sendLater } from "./send-later.ts";

/** A message may be this late before anybody asks. */
const GRACE_MS = 3 * 60_000;
/** How far back notices are looked for of which no delivery was made: each is looked at in so many runs. */
const FORGOTTEN_MS = 2 * 3_600_000;
/** Deliveries and notices woken in one run. */
const WOKEN_MAX = 500;
/** Ids in one message: a delivery to each destination is made of each. */
const IDS_MAX = 50;
/** Bytes of ids in one message, which leaves room for what stands around them. */
const IDS_BYTES_MAX = MESSAGE_BYTES_MAX - 1_000;

/** Sends on deliveries whose message is lost, and notices of which none was made: a queue that forgets loses nothing. */
export async function wakeDeliveries(env: ConsumerEnv, now: number): Promise<void> {
  const before = now - GRACE_MS;
  for (const message of await takeStalled(env.DB, { before, now }, WOKEN_MAX)) await sendLater(env, message, 0);
  const forgotten = await listForgotten(env.DB, { from: now - FORGOTTEN_MS, to: before }, WOKEN_MAX);
  for (const [project_id, notices] of Map.groupBy(forgotten, (notice) => notice.project_id)) {
    for (const notice_ids of packIds(notices.map(({ id }) => id))) {
      const message: NotifyMessage = { kind: "notify", project_id, notice_ids };
      await env.NOTIFICATIONS.send(JSON.stringify(message), { contentType: "text" });
    }
  }
}

/** Ids in groups that each fit a message: an id can hold a customer's, and so be long. */
function packIds(ids: readonly string[]): readonly (readonly string[])[] {
  const groups: string[][] = [];
  let bytes = 0;
  for (const id of ids) {
    const size = new TextEncoder().encode(JSON.stringify(id)).byteLength + 1;
    bytes += size;
    const last = groups.at(-1);
    if (last === undefined || bytes > IDS_BYTES_MAX || last.length === IDS_MAX) {
      groups.push([id]);
      bytes = size;
    } else last.push(id);
  }
  return groups;
}
