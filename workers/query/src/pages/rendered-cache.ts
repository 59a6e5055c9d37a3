import {
  RENDERED_ENTRIES_MAX,
  RENDERED_ENTRY_LENGTH_MAX,
  RENDERED_LENGTH_MAX,
  RENDERED_MS_MAX,
} from "@tidemark/contract/query-limits";

/** What a link showed, ready to be sent again. */
export interface Rendered {
  readonly body: string;
  readonly headers: Readonly<Record<string, string>>;
}

interface Entry {
  readonly rendered: Rendered;
  /** From here on the publication has to be read again, in milliseconds. */
  readonly until: number;
}

/**
 * What links showed in the last seconds, so that a page that many people open costs no database. It is short-lived,
 * so that a link that was taken back is closed as soon everywhere; and bounded, the oldest go first.
 */
export class RenderedCache {
  readonly #entries = new Map<string, Entry>();
  #length = 0;

  get(key: string, now: number): Rendered | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined) return undefined;
    // A clock that was set back keeps nothing alive.
    if (now < entry.until && entry.until - now <= RENDERED_MS_MAX) return entry.rendered;
    this.#forget(key, entry);
    return undefined;
  }

  /** @param readAt when the publication was read, which its life counts from; never beyond `expiresAt`. */
  set(key: string, rendered: Rendered, { readAt, expiresAt }: { readAt: number; expiresAt: number | null }): void {
    if (rendered.body.length > RENDERED_ENTRY_LENGTH_MAX) return;
    const before = this.#entries.get(key);
    if (before !== undefined) this.#forget(key, before);
    this.#entries.set(key, { rendered, until: Math.min(readAt + RENDERED_MS_MAX, expiresAt ?? Infinity) });
    this.#length += rendered.body.length;
    for (const [oldest, entry] of this.#entries) {
      if (this.#length <= RENDERED_LENGTH_MAX && this.#entries.size <= RENDERED_ENTRIES_MAX) return;
      this.#forget(oldest, entry);
    }
  }

  #forget(key: string, { rendered }: Entry): void {
    this.#entries.delete(key);
    this.#length -= rendered.body.length;
  }
}
