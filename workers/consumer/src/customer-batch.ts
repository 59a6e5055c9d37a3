import type { ApplyRequest, SeriesRef } from "@tidemark/contract";
import {
  type Catalog,
  type CompiledMetric,
  evaluate,
  hashContent,
  hashId,
  toInstant,
  type UsageEvent,
} from "@tidemark/core";

/** Events of one call: bounded, so that a meter's transaction stays short. */
const CALL_EVENTS_MAX = 10_000;

/**
 * One customer's events of a batch, in the columns of `ApplyRequest`. Only what the meter needs is kept;
 * the parsed events can be let go.
 */
export class CustomerBatch {
  readonly projectId: string;
  readonly customerId: string;
  /** The queue messages these events came in, by index. */
  readonly messages = new Set<number>();
  /** Earliest event, in milliseconds. */
  firstAt = Infinity;
  /** Pairs: the message and the position in it that each event came from. */
  readonly #sources: number[] = [];
  readonly #fingerprints: number[] = [];
  readonly #instants: number[] = [];
  readonly #series: SeriesRef[] = [];
  /** Where the series of a metric without labels stands, and that of one with. */
  readonly #plain = new Map<CompiledMetric, number>();
  readonly #labelled = new Map<string, number>();
  readonly #matches: number[] = [];
  readonly #values: number[] = [];
  readonly #large: (readonly [number, bigint])[] = [];

  constructor(projectId: string, customerId: string) {
    this.projectId = projectId;
    this.customerId = customerId;
  }

  get isFull(): boolean {
    return this.#instants.length >= CALL_EVENTS_MAX;
  }

  /**
   * Adds an event, evaluated against the metrics that listen to its name.
   *
   * @param receivedAt the time of an event without one, in milliseconds.
   * @param message the index of the queue message it came in.
   * @param position its position in that message.
   */
  add(event: UsageEvent, receivedAt: number, message: number, position: number, catalog: Catalog): void {
    const index = this.#instants.length;
    const instant = event.timestamp === undefined ? receivedAt : toInstant(event.timestamp);
    this.messages.add(message);
    this.#sources.push(message, position);
    if (instant < this.firstAt) this.firstAt = instant;
    const at = this.#fingerprints.length;
    this.#fingerprints.push(0, 0, hashContent(event));
    hashId(event.id, this.#fingerprints, at);
    this.#instants.push(instant);

    for (const compiled of catalog.get(event.event) ?? []) {
      const result = evaluate(compiled, event);
      this.#matches.push(index, this.#seriesOf(compiled, result.labels));
      if (result.kind === "rejected") this.#values.push(NaN);
      else if (typeof result.value === "number") this.#values.push(result.value);
      else {
        this.#large.push([this.#values.length, result.value]);
        this.#values.push(Infinity);
      }
    }
  }

  /** Where the event with this index came from. */
  sourceOf(index: number): { readonly message: number; readonly position: number } {
    return { message: this.#sources[2 * index] ?? -1, position: this.#sources[2 * index + 1] ?? -1 };
  }

  toRequest(): ApplyRequest {
    return {
      project_id: this.projectId,
      customer_id: this.customerId,
      fingerprints: Uint32Array.from(this.#fingerprints),
      instants: Float64Array.from(this.#instants),
      series: this.#series,
      matches: Uint32Array.from(this.#matches),
      values: Float64Array.from(this.#values),
      large: this.#large,
    };
  }

  #seriesOf(compiled: CompiledMetric, labels: readonly string[]): number {
    const metric_id = compiled.metric.id;
    if (labels.length === 0) {
      const known = this.#plain.get(compiled);
      if (known !== undefined) return known;
      this.#plain.set(compiled, this.#series.length);
    } else {
      const key = `${metric_id} ${labels.length === 1 ? labels[0] : JSON.stringify(labels)}`;
      const known = this.#labelled.get(key);
      if (known !== undefined) return known;
      this.#labelled.set(key, this.#series.length);
    }
    return this.#series.push({ metric_id, labels }) - 1;
  }
}
