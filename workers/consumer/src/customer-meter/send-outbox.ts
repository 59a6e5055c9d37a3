import {
  MESSAGE_BYTES_MAX,
  type MeterAddress,
  type NearLimitsMessage,
  type Notice,
  type NoticesMessage,
  type UsageMessage,
} from "@tidemark/contract";
import type { UsageDay } from "@tidemark/core";
import { writeUsageDays } from "@tidemark/db/rollups";
import type { Outbox } from "./flushing.ts";
import type { Crossing } from "./quota/watch.ts";

/** What a queue takes in one message, less the envelope. */
const QUEUE_BYTES_MAX = 120_000;

interface OutboxBindings {
  readonly ROLLUPS: Queue<string>;
  readonly DB: D1Database;
}

/**
 * Hands changed days and crossings to the rollup queue, several to a message, and a day that no message can hold to D1
 * itself. The only place where a meter touches the network.
 */
export async function sendOutbox(
  { ROLLUPS, DB }: OutboxBindings,
  { project_id, customer_id }: MeterAddress,
  { days, crossings, near }: Pick<Outbox, "days" | "crossings" | "near">,
): Promise<void> {
  const { messages, oversized } = pack(days);
  for (const part of messages) {
    const message: UsageMessage = { kind: "usage", project_id, customer_id, days: part };
    await ROLLUPS.send(JSON.stringify(message), { contentType: "text" });
  }
  for (const notices of inMessages(crossings.map(toNotice))) {
    const message: NoticesMessage = { kind: "notices", project_id, customer_id, notices };
    await ROLLUPS.send(JSON.stringify(message), { contentType: "text" });
  }
  if (near.length > 0) {
    const message: NearLimitsMessage = { kind: "near_limits", project_id, customer_id, balances: near };
    await ROLLUPS.send(JSON.stringify(message), { contentType: "text" });
  }
  for (const day of oversized) await writeUsageDays(DB, [{ project_id, customer_id, days: [day] }]);
}

/** Splits notices into parts that a message can hold: names can be long. */
function inMessages(notices: readonly Notice[]): readonly (readonly Notice[])[] {
  const parts: Notice[][] = [];
  let size = Infinity;
  for (const notice of notices) {
    const bytes = new TextEncoder().encode(JSON.stringify(notice)).byteLength;
    if (size + bytes > MESSAGE_BYTES_MAX - 1_000) {
      parts.push([]);
      size = 0;
    }
    parts.at(-1)?.push(notice);
    size += bytes;
  }
  return parts;
}

function toNotice({ id, metric_id, at, ...crossing }: Crossing): Notice {
  return { id, kind: "threshold_crossed", metric_id, at, body: JSON.stringify({ metric_id, at, ...crossing }) };
}

function pack(days: readonly UsageDay[]): {
  readonly messages: readonly (readonly UsageDay[])[];
  readonly oversized: readonly UsageDay[];
} {
  const messages: UsageDay[][] = [];
  const oversized: UsageDay[] = [];
  let size = Infinity;
  for (const day of days) {
    const bytes = new TextEncoder().encode(JSON.stringify(day)).byteLength;
    if (bytes > QUEUE_BYTES_MAX) {
      oversized.push(day);
      continue;
    }
    if (size + bytes > MESSAGE_BYTES_MAX - 1_000) {
      messages.push([]);
      size = 0;
    }
    messages.at(-1)?.push(day);
    size += bytes;
  }
  return { messages, oversized };
}
