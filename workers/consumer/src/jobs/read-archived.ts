import { gunzipSync } from "node:zlib";
import { dayOf, toInstant } from "@tidemark/core";
import type { Job } from "@tidemark/db/jobs";
import type { VersionedCatalog } from "../catalog-cache.ts";
import { CustomerBatch } from "../customer-batch.ts";
import { decodeEventMessage } from "../decode-message.ts";

/** An archive object's events in the job's range, by customer, evaluated. One that is gone has none. */
export async function readArchived(
  bucket: R2Bucket,
  key: string,
  { job, catalog }: { readonly job: Job; readonly catalog: VersionedCatalog },
): Promise<readonly CustomerBatch[]> {
  const object = await bucket.get(key);
  if (object === null) return [];
  const { customer_id, from_day, to_day } = job.params;
  const open = new Map<string, CustomerBatch>();
  const full: CustomerBatch[] = [];
  for (const line of linesOf(gunzipSync(await object.arrayBuffer()))) {
    const message = decodeEventMessage(line);
    if (message === undefined) continue;
    for (const event of message.events) {
      if (customer_id !== null && event.customer_id !== customer_id) continue;
      const day = dayOf(event.timestamp === undefined ? message.received_at : toInstant(event.timestamp));
      if (day < from_day || day > to_day) continue;
      let batch = open.get(event.customer_id);
      if (batch === undefined || batch.isFull) {
        if (batch !== undefined) full.push(batch);
        batch = new CustomerBatch(job.project_id, event.customer_id, catalog);
        open.set(event.customer_id, batch);
      }
      batch.add(event, message.received_at, NO_SOURCE);
    }
  }
  return [...full, ...open.values()];
}

const NO_SOURCE = { message: -1, position: -1 };
const NEWLINE = 10;

function* linesOf(bytes: Uint8Array): Generator<string> {
  const decoder = new TextDecoder();
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(NEWLINE, start);
    const stop = end < 0 ? bytes.length : end;
    yield decoder.decode(bytes.subarray(start, stop));
    start = stop + 1;
  }
}
