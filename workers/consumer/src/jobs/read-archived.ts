import type { EventMessage } from "@tidemark/contract";
import { dayOf, toInstant, type UsageEvent } from "@tidemark/core";
import type { Job } from "@tidemark/db/jobs";
import type { VersionedCatalog } from "../catalog-cache.ts";
import { CustomerBatch } from "../customer-batch.ts";
import { readMessages } from "./read-messages.ts";

/** One customer's archived events. */
export interface ArchivedBatch {
  readonly batch: CustomerBatch;
  /** Received after the job began: the meter counts them, or will, whatever the job does. */
  readonly isRecent: boolean;
}

/** An archive object's events in the job's range, in the order of receipt, evaluated. One that is gone has none. */
export async function readArchived(
  bucket: R2Bucket,
  key: string,
  { job, catalog }: { readonly job: Job; readonly catalog: VersionedCatalog },
): Promise<readonly ArchivedBatch[]> {
  const messages = await readMessages(bucket, key);
  const open = new Map<string, ArchivedBatch>();
  const full: ArchivedBatch[] = [];
  for (const message of messages) {
    const isRecent = message.received_at > job.created_at;
    for (const event of message.events) {
      if (!isWanted(event, message, job)) continue;
      const name = `${isRecent} ${event.customer_id}`;
      let archived = open.get(name);
      if (archived === undefined || archived.batch.isFull) {
        if (archived !== undefined) full.push(archived);
        archived = { batch: new CustomerBatch(job.project_id, event.customer_id, catalog), isRecent };
        open.set(name, archived);
      }
      archived.batch.add(event, message.received_at, NO_SOURCE);
    }
  }
  return [...full, ...open.values()];
}

const NO_SOURCE = { message: -1, position: -1 };

/** An event without a time has that of its receipt, so that a copy of it may have counted on the day before. */
function isWanted(event: UsageEvent, { received_at }: EventMessage, { params }: Job): boolean {
  const { customer_id, from_day, to_day } = params;
  if (customer_id !== null && event.customer_id !== customer_id) return false;
  if (event.timestamp === undefined) return dayOf(received_at) >= from_day - 1 && dayOf(received_at) <= to_day;
  const day = dayOf(toInstant(event.timestamp));
  return day >= from_day && day <= to_day;
}
