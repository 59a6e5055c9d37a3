import { formatDay, dayOf, type UsageEvent } from "@tidemark/core";
import { sha256 } from "./sha256.ts";

/** The lines of one project's events in a batch, each message's under its key for a stable order. */
export class ArchiveWriter {
  readonly #parts: { readonly order: string; readonly lines: string }[] = [];
  #firstReceivedAt = Infinity;

  /** Adds a message's events: one JSON object a line, with the time of receipt first. */
  add(messageId: string, receivedAt: number, events: readonly UsageEvent[]): void {
    const start = `{"received_at":${receivedAt},`;
    let lines = "";
    for (const event of events) lines += `${start}${JSON.stringify(event).slice(1)}\n`;
    this.#parts.push({ order: `${receivedAt} ${messageId}`, lines });
    this.#firstReceivedAt = Math.min(this.#firstReceivedAt, receivedAt);
  }

  /**
   * Writes one gzip object of NDJSON, named after its content: the same batch delivered again writes the
   * same bytes to the same place.
   */
  async write(bucket: R2Bucket, projectId: string): Promise<void> {
    const text = this.#parts
      .toSorted((a, b) => (a.order < b.order ? -1 : 1))
      .map((part) => part.lines)
      .join("");
    const key = `events/${encodeURIComponent(projectId)}/${formatDay(dayOf(this.#firstReceivedAt))}/${(await sha256(text)).slice(0, 32)}.ndjson.gz`;
    const compressed = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
    await bucket.put(key, await new Response(compressed).arrayBuffer(), {
      httpMetadata: { contentType: "application/x-ndjson", contentEncoding: "gzip" },
    });
  }
}
