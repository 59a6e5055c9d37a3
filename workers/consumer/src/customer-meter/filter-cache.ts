/**
 * Filters in memory, of all the meters that share an isolate, within one bound: the oldest makes room.
 * The holder's own array is the index, so that a look-up costs nothing here.
 */
export class FilterCache {
  readonly #bytesMax: number;
  readonly #kept: { readonly holder: (Uint8Array | undefined)[]; readonly index: number; readonly bytes: number }[] =
    [];
  #first = 0;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Puts a filter into `holder[index]`, and takes the oldest ones out of theirs when there are too many. */
  keep(holder: (Uint8Array | undefined)[], index: number, filter: Uint8Array): void {
    holder[index] = filter;
    this.#kept.push({ holder, index, bytes: filter.byteLength });
    this.#bytes += filter.byteLength;
    while (this.#bytes > this.#bytesMax) {
      const oldest = this.#kept[this.#first++];
      if (oldest === undefined) break;
      oldest.holder[oldest.index] = undefined;
      this.#bytes -= oldest.bytes;
    }
    if (this.#first > 1_000 && this.#first * 2 > this.#kept.length) {
      this.#kept.splice(0, this.#first);
      this.#first = 0;
    }
  }
}
