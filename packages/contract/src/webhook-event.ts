import type { NoticeKind } from "./messages.ts";
import type { CrossingBody } from "./notice.ts";

/** A notice as it is stored. */
export interface StoredNotice {
  readonly id: string;
  readonly kind: NoticeKind;
  readonly customer_id: string;
  /** Milliseconds. */
  readonly at: number;
  /** JSON. */
  readonly body: string;
}

/** What a webhook posts, as Standard Webhooks has it; quantities are texts, so that no digit is lost. */
export interface WebhookEvent {
  readonly type: string;
  /** When it happened, RFC 3339. */
  readonly timestamp: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** What a webhook posts of a notice: made of what is stored alone, and so the same on every attempt. */
export function toWebhookEvent(notice: StoredNotice): WebhookEvent {
  const { id, kind, at, body } = notice;
  const told = JSON.parse(body) as Readonly<Record<string, unknown>>;
  const data = kind === "threshold_crossed" ? toCrossing(notice, told as unknown as CrossingBody) : { id, ...told };
  return { type: TYPES[kind], timestamp: new Date(at).toISOString(), data };
}

const TYPES: Readonly<Record<NoticeKind, string>> = {
  threshold_crossed: "aggregator.threshold_crossed",
  digest: "digest.weekly",
  webhook_test: "webhook.test",
  destination_disabled: "destination.disabled",
};

function toCrossing({ id, customer_id, at }: StoredNotice, crossing: CrossingBody): WebhookEvent["data"] {
  const { threshold_id, version, name, operator, line, metric, segment, label } = crossing;
  const { value, previous_value, allowance, cycle } = crossing;
  return {
    id,
    threshold: { id: threshold_id, version, name, operator, line },
    metric,
    segment: segment ?? null,
    label: label === undefined || label === "" ? null : label,
    customer_id,
    value,
    previous_value: previous_value ?? null,
    allowance,
    cycle,
    at: new Date(at).toISOString(),
  };
}
