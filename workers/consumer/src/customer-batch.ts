import {
  type ApplyRequest,
  type EventColumns,
  RECENT_EVENTS_MAX,
  type RecentEvent,
  type RecountRequest,
  type RecountScope,
  type RejectedMatch,
  type SeriesRef,
  SHOWN_LENGTH_MAX,
  type UnenforcedConsume,
} from "@tidemark/contract";
import {
  type CompiledMetric,
  type Evaluation,
  evaluate,
  hashContent,
  hashId,
  toInstant,
  toLabel,
  type UsageEvent,
} from "@tidemark/core";
import type { VersionedCatalog } from "./catalog-cache.ts";

/** Events, matches and characters of labels of one call: bounded, so that it stays short and below 32 MB. */
const CALL_EVENTS_MAX = 10_000;
const CALL_MATCHES_MAX = 200_000;
const CALL_LABELS_MAX = 4_000_000;

/** Where an event came from: the queue message, by index, and its position in it. */
interface Source {
  readonly message: number;
  readonly position: number;
}

/**
 * One customer's events of a batch, in the columns of `EventColumns`. Only what the meter needs is kept;
 * the parsed events can be let go.
 */
export class CustomerBatch {
  readonly projectId: string;
  readonly customerId: string;
  /** The queue messages these events came in, by index. */
  readonly messages = new Set<number>();
  /** Earliest event, in milliseconds. */
  firstAt = Infinity;
  readonly #catalog: VersionedCatalog;
  /** Pairs: the message and the position in it that each event came from. */
  readonly #sources: number[] = [];
  readonly #fingerprints: number[] = [];
  readonly #instants: number[] = [];
  readonly #series: SeriesRef[] = [];
  /** Where the series of a metric without labels and segments stands, and that of one with. */
  readonly #plain = new Map<CompiledMetric, number>();
  readonly #split = new Map<string, number>();
  #labelLength = 0;
  readonly #matches: number[] = [];
  readonly #values: number[] = [];
  readonly #large: (readonly [number, bigint])[] = [];
  readonly #rejected: RejectedMatch[] = [];
  readonly #consumed: UnenforcedConsume[] = [];
  /** The last events, in the place of their index modulo the length. */
  readonly #latest: { readonly index: number; readonly event: UsageEvent; readonly receivedAt: number }[] = [];

  constructor(projectId: string, customerId: string, catalog: VersionedCatalog) {
    this.projectId = projectId;
    this.customerId = customerId;
    this.#catalog = catalog;
  }

  /** Of the metrics that its events were evaluated with. */
  get catalogVersion(): number {
    return this.#catalog.version;
  }

  get isFull(): boolean {
    return (
      this.#instants.length + this.#consumed.length >= CALL_EVENTS_MAX ||
      this.#values.length >= CALL_MATCHES_MAX ||
      this.#labelLength >= CALL_LABELS_MAX
    );
  }

  get size(): number {
    return this.#instants.length;
  }

  /**
   * Adds an event, evaluated against the metrics that listen to its name.
   *
   * @param receivedAt the time of an event without one, in milliseconds.
   */
  add(event: UsageEvent, receivedAt: number, source: Source): void {
    const index = this.#instants.length;
    const instant = event.timestamp === undefined ? receivedAt : toInstant(event.timestamp);
    this.messages.add(source.message);
    if (event.consumed !== undefined) {
      if (instant < this.firstAt) this.firstAt = instant;
      this.#consumed.push({
        id: event.id,
        at: instant,
        items: event.consumed,
        properties: event.properties ?? null,
      });
      return;
    }
    this.#sources.push(source.message, source.position);
    if (instant < this.firstAt) this.firstAt = instant;
    const at = this.#fingerprints.length;
    this.#fingerprints.push(0, 0, hashContent(event));
    hashId(event.id, this.#fingerprints, at);
    this.#instants.push(instant);
    this.#latest[index % RECENT_EVENTS_MAX] = { index, event, receivedAt };

    const listeners = this.#catalog.catalog.get(event.event);
    if (listeners === undefined) return;
    for (const compiled of listeners) {
      const result = evaluate(compiled, event, instant, receivedAt);
      if (result.kind !== "unmatched") this.#match(index, compiled, result, event);
    }
  }

  #match(
    index: number,
    compiled: CompiledMetric,
    result: Exclude<Evaluation, { readonly kind: "unmatched" }>,
    event: UsageEvent,
  ): void {
    this.#matches.push(index, this.#seriesOf(compiled, result.labels, result.segments));
    if (result.kind === "rejected") {
      const found = cut(toLabel(result.found));
      this.#rejected.push({ match: this.#values.length, code: result.code, event_id: event.id, found });
      this.#values.push(NaN);
    } else if (typeof result.value === "number") this.#values.push(result.value);
    else {
      this.#large.push([this.#values.length, result.value]);
      this.#values.push(Infinity);
    }
  }

  /** Where the event with this index came from. */
  sourceOf(index: number): Source {
    return { message: this.#sources[2 * index] ?? -1, position: this.#sources[2 * index + 1] ?? -1 };
  }

  toRequest(): ApplyRequest {
    return {
      project_id: this.projectId,
      customer_id: this.customerId,
      catalog_version: this.#catalog.version,
      ...this.#toColumns(),
      ...this.#toWatched(),
      ...(this.#consumed.length === 0 ? {} : { consumed: this.#consumed }),
      recent: this.#toRecent(),
    };
  }

  /** The metrics of its events that thresholds look at. */
  #toWatched(): Pick<ApplyRequest, "watched"> {
    const { watched } = this.#catalog;
    if (watched.size === 0) return {};
    const ids = new Set(this.#series.map(({ metric_id, of = metric_id }) => of));
    const own = Array.from(ids).filter((id) => watched.get(id)?.has(this.customerId) ?? watched.get(id) === null);
    return own.length === 0 ? {} : { watched: own };
  }

  toRecount(scope: RecountScope): Omit<RecountRequest, "trusts_archive"> {
    return { project_id: this.projectId, customer_id: this.customerId, scope, ...this.#toColumns() };
  }

  #toColumns(): EventColumns {
    return {
      fingerprints: Uint32Array.from(this.#fingerprints),
      instants: Float64Array.from(this.#instants),
      series: this.#series,
      matches: Uint32Array.from(this.#matches),
      values: Float64Array.from(this.#values),
      large: this.#large,
      rejected: this.#rejected,
    };
  }

  #toRecent(): readonly (readonly [number, string])[] {
    return this.#latest
      .toSorted((a, b) => a.index - b.index)
      .map(({ index, event, receivedAt }) => [
        index,
        JSON.stringify(this.#describe(event, this.#instants[index] ?? 0, receivedAt)),
      ]);
  }

  /** What the metrics that listen to an event show of it. */
  #describe(event: UsageEvent, instant: number, receivedAt: number): RecentEvent {
    const counted: string[] = [];
    const rejected: string[] = [];
    const properties: Record<string, string> = {};
    for (const compiled of this.#catalog.catalog.get(event.event) ?? []) {
      const { kind } = evaluate(compiled, event, instant, receivedAt);
      if (kind === "unmatched") continue;
      (kind === "counted" ? counted : rejected).push(compiled.metric.counter_id);
      for (const { path, read } of compiled.exposed) {
        const found = read(event.properties);
        if (found !== undefined) properties[path] = cut(toLabel(found));
      }
    }
    return { id: event.id, event: event.event, at: instant, counted, rejected, properties };
  }

  #seriesOf(compiled: CompiledMetric, labels: readonly string[], segments: number): number {
    const { counter_id: metric_id, aggregation, id } = compiled.metric;
    const of = metric_id === id ? {} : { of: id };
    if (labels.length === 0 && segments === 0) {
      const known = this.#plain.get(compiled);
      if (known !== undefined) return known;
      this.#plain.set(compiled, this.#series.length);
    } else {
      const key = `${metric_id} ${segments} ${labels.length === 1 ? labels[0] : JSON.stringify(labels)}`;
      const known = this.#split.get(key);
      if (known !== undefined) return known;
      this.#split.set(key, this.#series.length);
      this.#labelLength += key.length;
    }
    return this.#series.push({ metric_id, ...of, aggregation, labels, segments }) - 1;
  }
}

function cut(text: string): string {
  return text.length <= SHOWN_LENGTH_MAX ? text : `${text.slice(0, SHOWN_LENGTH_MAX - 1)}…`;
}
