import { type Decision, type DecisionItem, EVENT_MESSAGE_END, eventMessageStart } from "@tidemark/contract";
import type { UsageEvent } from "@tidemark/core/event";
import type { IngestEnv } from "../env.ts";
import { sendMessages } from "../send-messages.ts";

/** What is said when nobody could decide. */
export function undecided(items: readonly DecisionItem[], allowed: boolean): Decision {
  const answers = items.map(({ metric }): Decision => ({
    allowed,
    metric,
    reason: "meter_unavailable",
    enforcement: null,
    enforced: false,
    limit: null,
    carried: "0",
    used: "0",
    reserved: "0",
    remaining: null,
    overage: "0",
    over_limit: false,
    cycle: null,
  }));
  const [only] = answers;
  if (only === undefined) throw new Error("A decision is about something.");
  return answers.length === 1 ? only : { ...only, items: answers };
}

/** Usage that was admitted without its meter. */
interface Admitted {
  readonly project_id: string;
  readonly customer_id: string;
  readonly id: string;
  readonly items: NonNullable<UsageEvent["consumed"]>;
  readonly properties: Readonly<Record<string, unknown>> | null;
}

/**
 * Puts usage that was admitted without its meter on the queue, where it waits until the meter is back, and is
 * counted once: had the meter decided after all, it knows the id.
 *
 * @throws Problem unavailable when the queue does not take it.
 */
export async function queueAdmitted(env: IngestEnv, admitted: Admitted): Promise<void> {
  const { project_id, customer_id, id, items, properties } = admitted;
  const now = Date.now();
  const event = { id, event: "", customer_id, timestamp: new Date(now).toISOString(), consumed: items };
  const body = JSON.stringify(properties === null ? event : { ...event, properties });
  await sendMessages(env.EVENTS, [`${eventMessageStart(project_id, now)}${body}${EVENT_MESSAGE_END}`]);
}
