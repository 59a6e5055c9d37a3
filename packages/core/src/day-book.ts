import { DistinctDay } from "./distinct.ts";
import { addExact, type Exact, fromInteger } from "./exact.ts";
import type { Aggregation, RejectionCode } from "./metric.ts";
import { isLater, type Said } from "./said.ts";
import { hourOf } from "./timestamp.ts";
import type { DayGroup, Rejection, UsageDay } from "./usage-day.ts";

interface Group {
  readonly labels: readonly string[];
  readonly segments: number;
  value: Exact;
  events: number;
  /** By hour of the UTC day. */
  readonly hours: (Exact | undefined)[];
  /** The same, for `latest`. */
  readonly said: (Said | undefined)[];
  /** For `unique`. */
  readonly ids: DistinctDay | undefined;
}

type StoredDay = Omit<UsageDay, "aggregation"> & { readonly aggregation?: Aggregation };

/** How many groups a day may have, how much text their labels, and what the rest is called. */
export interface LabelLimits {
  readonly groupsMax: number;
  /** The same for `unique`, where each group holds ids. */
  readonly distinctGroupsMax: number;
  /** And for `latest`, where each hour has a time. */
  readonly latestGroupsMax: number;
  readonly textMax: number;
  readonly otherLabel: string;
}

/**
 * One customer's usage of one metric on one UTC day, while it changes. What it says does not depend on
 * the order in which events came.
 *
 * Label groups are capped, so that a label that takes any value cannot fill the meter: what exceeds the
 * cap is counted under one visible group, and the whole stays exact.
 */
export class MetricDay {
  readonly metricId: string;
  readonly aggregation: Aggregation;
  readonly day: number;
  readonly #groups = new Map<string, Group>();
  #labelLength = 0;
  #version: number;
  #value: Exact = 0;
  #said: Said = NEVER;
  #ids: DistinctDay | undefined;
  #events = 0;
  readonly #rejections = new Map<RejectionCode, Rejection>();
  /** Rejected events from before reasons were kept. */
  #unexplained = 0;
  #lastAt = 0;
  #written: UsageDay | undefined;
  #text: string | undefined;

  private constructor(metricId: string, aggregation: Aggregation, day: number, version: number) {
    this.metricId = metricId;
    this.aggregation = aggregation;
    this.day = day;
    this.#version = version;
  }

  static empty(metricId: string, aggregation: Aggregation, day: number): MetricDay {
    return new MetricDay(metricId, aggregation, day, 0);
  }

  /** A day as it was stored, also by a meter that knew neither aggregations nor reasons. */
  static from(usage: StoredDay): MetricDay {
    const { metric_id, aggregation = "sum", day, version, value, events, last_at, groups, ids } = usage;
    const metricDay = new MetricDay(metric_id, aggregation, day, version);
    metricDay.#value = fromInteger(value);
    metricDay.#events = events;
    metricDay.#lastAt = last_at;
    if (ids !== undefined) metricDay.#ids = DistinctDay.from(ids);
    metricDay.#unexplained = usage.rejected;
    for (const rejection of usage.rejections ?? []) {
      metricDay.#rejections.set(rejection.code, rejection);
      metricDay.#unexplained -= rejection.events;
    }
    for (const stored of groups) {
      const group = readGroup(stored, metricDay.#ids);
      for (const said of group.said) if (said !== undefined && isLater(said, metricDay.#said)) metricDay.#said = said;
      metricDay.#keep(keyOf(group.labels, group.segments), group);
    }
    return metricDay;
  }

  get version(): number {
    return this.#version;
  }

  /** The group that counts these labels: their own, or the one that stands for all beyond the limits. */
  group(labels: readonly string[], segments: number, limits: LabelLimits): Group {
    const key = keyOf(labels, segments);
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const isOther = labels.every((label) => label === limits.otherLabel);
    const groupsMax = groupsMaxOf(this.aggregation, limits);
    const isFull = this.#groups.size >= groupsMax || this.#labelLength + key.length > limits.textMax;
    if (isFull && !isOther)
      return this.group(
        labels.map(() => limits.otherLabel),
        segments,
        limits,
      );
    return this.#keep(key, { labels, segments, value: 0, events: 0, hours: [], said: [], ids: this.#newIds() });
  }

  /** A day's only group shares the day's ids; with the second one, each has its own. */
  #newIds(): DistinctDay | undefined {
    if (this.aggregation !== "unique") return undefined;
    if (this.#ids === undefined) return (this.#ids = DistinctDay.empty());
    if (this.#groups.size === 1) this.#ids = DistinctDay.from(this.#ids.toStored());
    return DistinctDay.empty();
  }

  #keep(key: string, group: Group): Group {
    this.#groups.set(key, group);
    this.#labelLength += key.length;
    return group;
  }

  /**
   * Adds an event's value to a group of this day.
   *
   * @param value for `unique` the id's 52-bit hash.
   * @param tie a hash of the event's id: of two values said at one time that of the higher is the latest.
   */
  add(group: Group, value: Exact, instant: number, tie: number, version: number): void {
    const hour = hourOf(instant);
    switch (this.aggregation) {
      case "count":
      case "sum":
        this.#value = addExact(this.#value, value);
        group.value = addExact(group.value, value);
        group.hours[hour] = addExact(group.hours[hour] ?? 0, value);
        break;
      case "max":
        if (this.#events === 0 || value > this.#value) this.#value = value;
        if (group.events === 0 || value > group.value) group.value = value;
        if (value > (group.hours[hour] ?? -Infinity)) group.hours[hour] = value;
        break;
      case "min":
        if (this.#events === 0 || value < this.#value) this.#value = value;
        if (group.events === 0 || value < group.value) group.value = value;
        if (value < (group.hours[hour] ?? Infinity)) group.hours[hour] = value;
        break;
      case "latest":
        this.#say(group, value, hour, [instant, tie]);
        break;
      case "unique":
        group.ids?.add(Number(value), hour);
        if (group.ids !== this.#ids) this.#ids?.add(Number(value), hour);
        break;
    }
    this.#events++;
    group.events++;
    if (instant > this.#lastAt) this.#lastAt = instant;
    this.#touch(version);
  }

  #say(group: Group, value: Exact, hour: number, said: Said): void {
    if (isLater(said, this.#said)) {
      this.#said = said;
      this.#value = value;
    }
    if (group.said.every((other) => other === undefined || isLater(said, other))) group.value = value;
    const known = group.said[hour];
    if (known !== undefined && !isLater(said, known)) return;
    group.said[hour] = said;
    group.hours[hour] = value;
  }

  /**
   * Takes back what was added to a count or sum: it is counted elsewhere. Where labels had gone over the limits,
   * from the group that stands for all beyond them.
   */
  takeBack(
    { labels, segments }: Pick<Group, "labels" | "segments">,
    value: Exact,
    instant: number,
    version: number,
    { otherLabel }: LabelLimits,
  ): void {
    const key = keyOf(labels, segments);
    const other = keyOf(
      labels.map(() => otherLabel),
      segments,
    );
    const group = this.#groups.get(key) ?? this.#groups.get(other);
    if (group === undefined) throw new Error("What is taken back was never added.");
    const hour = hourOf(instant);
    this.#value = addExact(this.#value, -value);
    group.value = addExact(group.value, -value);
    group.hours[hour] = addExact(group.hours[hour] ?? 0, -value);
    this.#events--;
    group.events--;
    if (group.events === 0 && group.value === 0) this.#drop(keyOf(group.labels, group.segments));
    this.#touch(version);
  }

  #drop(key: string): void {
    if (this.#groups.delete(key)) this.#labelLength -= key.length;
  }

  /** Counts an event that matched and had no usable value, and keeps the latest as an example. */
  reject(code: RejectionCode, example: Rejection["example"], version: number): void {
    const known = this.#rejections.get(code);
    const isNewer =
      known === undefined ||
      example.at > known.example.at ||
      (example.at === known.example.at && example.id > known.example.id);
    this.#rejections.set(code, {
      code,
      events: (known?.events ?? 0) + 1,
      example: isNewer ? example : known.example,
    });
    this.#touch(version);
  }

  #touch(version: number): void {
    this.#version = version;
    this.#written = undefined;
    this.#text = undefined;
  }

  /** The day as it is stored and sent. */
  toUsage(): UsageDay {
    this.#written ??= this.#write();
    return this.#written;
  }

  /** The same as JSON; kept until the next change, because a meter writes all its days with every call. */
  toText(): string {
    this.#text ??= JSON.stringify(this.toUsage());
    return this.#text;
  }

  #write(): UsageDay {
    // An event that was rejected has opened a group, in which nothing counted until another event does.
    const groups = [...this.#groups.values()].filter(({ events, value }) => events !== 0 || value !== 0);
    const isSplit = groups.length > 1;
    const rejections = [...this.#rejections.values()].toSorted((a, b) => (a.code < b.code ? -1 : 1));
    return {
      metric_id: this.metricId,
      aggregation: this.aggregation,
      day: this.day,
      version: this.#version,
      value: (this.#ids === undefined ? this.#value : this.#ids.size).toString(),
      events: this.#events,
      rejected: rejections.reduce((sum, { events }) => sum + events, this.#unexplained),
      last_at: this.#lastAt,
      groups: groups.map((group) => writeGroup(group, isSplit)),
      ...(this.#ids === undefined ? {} : { ids: this.#ids.toStored() }),
      ...(rejections.length === 0 ? {} : { rejections }),
    };
  }
}

export type { Group as DayCounter };

/**
 * What a day says, as text that is equal for equal days: without its version, groups in order. Where
 * labels went over the limits, which of them have a group of their own depends on the order of events,
 * and only the whole is told.
 */
export function describeDay(day: UsageDay, limits: LabelLimits): string {
  const { value, events, rejected, last_at, ids, rejections = [] } = day;
  const isCapped = day.groups.some(({ labels }) => labels.length > 0 && labels.every((l) => l === limits.otherLabel));
  const groups = isCapped ? [] : Array.from(day.groups, (group) => JSON.stringify(group)).toSorted();
  return JSON.stringify([value, events, rejected, last_at, groups, ids ?? null, rejections]);
}

const NEVER: Said = [-Infinity, 0];

function groupsMaxOf(aggregation: Aggregation, limits: LabelLimits): number {
  if (aggregation === "unique") return limits.distinctGroupsMax;
  return aggregation === "latest" ? limits.latestGroupsMax : limits.groupsMax;
}

function keyOf(labels: readonly string[], segments: number): string {
  return `${segments}:${labels.length === 1 ? (labels[0] ?? "") : JSON.stringify(labels)}`;
}

function readGroup(stored: DayGroup, dayIds: DistinctDay | undefined): Group {
  const hours: (Exact | undefined)[] = [];
  for (const [hour, value] of Object.entries(stored.hours)) hours[Number(hour)] = fromInteger(value);
  const said: (Said | undefined)[] = [];
  for (const [hour, when] of Object.entries(stored.said ?? {})) said[Number(hour)] = when;
  return {
    labels: stored.labels,
    segments: stored.segments ?? 0,
    value: fromInteger(stored.value),
    events: stored.events,
    hours,
    said,
    ids: stored.ids === undefined ? dayIds : DistinctDay.from(stored.ids),
  };
}

function writeGroup({ labels, segments, value, events, hours, said, ids }: Group, isSplit: boolean): DayGroup {
  return {
    labels,
    ...(segments === 0 ? {} : { segments }),
    value: (ids === undefined ? value : ids.size).toString(),
    events,
    hours: byHour(hours, String),
    ...(said.length === 0 ? {} : { said: byHour(said, (when) => when) }),
    ...(ids === undefined || !isSplit ? {} : { ids: ids.toStored() }),
  };
}

function byHour<Value, Written>(
  values: readonly (Value | undefined)[],
  write: (value: Value) => Written,
): Record<string, Written> {
  const written: Record<string, Written> = {};
  values.forEach((value, hour) => {
    if (value !== undefined) written[hour] = write(value);
  });
  return written;
}
