import { archivePrefix } from "../archive-events.ts";
import type { ArchiveState } from "./archive-fold.ts";

/** Whose state it is. */
interface Owner {
  readonly project_id: string;
  readonly id: string;
}

const NEWLINE = 10;

/**
 * Keeps what a question has come to, under a key of its own: a runner that lost its lease writes beside, never
 * over, what another goes on from. A line of JSON, and then the words of the ids.
 */
export async function saveState(bucket: R2Bucket, owner: Owner, { ids, ...rest }: ArchiveState): Promise<string> {
  const key = `${prefixOf(owner)}${crypto.randomUUID()}`;
  const head = new TextEncoder().encode(`${JSON.stringify(rest)}\n`);
  const bytes = new Uint8Array(head.length + ids.byteLength);
  bytes.set(head);
  bytes.set(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength), head.length);
  await bucket.put(key, bytes);
  return key;
}

/** Reads it back. */
export async function loadState(bucket: R2Bucket, key: string): Promise<ArchiveState> {
  const object = await bucket.get(key);
  if (object === null) throw new Error(`the state ${key} is gone`);
  const bytes = new Uint8Array(await object.arrayBuffer());
  const end = bytes.indexOf(NEWLINE);
  const rest = JSON.parse(new TextDecoder().decode(bytes.subarray(0, end))) as Omit<ArchiveState, "ids">;
  // A copy, because words begin at multiples of four.
  return { ...rest, ids: new Uint32Array(bytes.slice(end + 1).buffer) };
}

/** Removes all that a question has kept. */
export async function dropStates(bucket: R2Bucket, owner: Owner): Promise<void> {
  for (;;) {
    const { objects, truncated } = await bucket.list({ prefix: prefixOf(owner) });
    if (objects.length > 0) await bucket.delete(objects.map(({ key }) => key));
    if (!truncated) return;
  }
}

/** Beside the events, not among them: whoever reads the archive never meets it. */
function prefixOf({ project_id, id }: Owner): string {
  return `${archivePrefix(project_id).replace(/^events\//, "queries/")}${id}/`;
}
