import { type StoredNotice, toWebhookEvent } from "@tidemark/contract/webhook-event";
import { sha256 } from "@tidemark/http/digest";
import { Webhook } from "standardwebhooks";

/** What is posted to a webhook. */
export interface WebhookRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/**
 * A notice as a signed request. Id and body follow from the notice alone, so that every attempt says the same and a
 * receiver can drop repeats; the time and so the signature are of the attempt, as receivers want them recent.
 */
export async function toWebhookRequest(
  projectId: string,
  notice: StoredNotice,
  secrets: readonly string[],
  now: number,
): Promise<WebhookRequest> {
  const body = JSON.stringify(toWebhookEvent(notice));
  const id = await messageId(projectId, notice.id);
  const at = new Date(now);
  return {
    headers: {
      "webhook-id": id,
      "webhook-timestamp": String(Math.floor(now / 1_000)),
      "webhook-signature": secrets.map((secret) => new Webhook(secret).sign(id, at, body)).join(" "),
    },
    body,
  };
}

/** A notice's id can hold whatever a customer's does; a message's is signed, and must not hold a dot. */
async function messageId(projectId: string, noticeId: string): Promise<string> {
  return `msg_${(await sha256(JSON.stringify([projectId, noticeId]))).slice(0, 32)}`;
}
