import { gunzipSync } from "node:zlib";
import type { EventMessage } from "@tidemark/contract";
import { decodeEventMessage } from "../decode-message.ts";

/** An archive object's messages in the order of receipt. One that is gone has none. */
export async function readMessages(bucket: R2Bucket, key: string): Promise<readonly EventMessage[]> {
  const object = await bucket.get(key);
  return object === null ? [] : decodeMessages(await object.arrayBuffer());
}

/** The messages of an archive object's bytes in the order of receipt. */
export function decodeMessages(bytes: ArrayBuffer): readonly EventMessage[] {
  return Array.from(linesOf(gunzipSync(bytes)), decodeEventMessage)
    .filter((message) => message !== undefined)
    .toSorted((a, b) => a.received_at - b.received_at);
}

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
