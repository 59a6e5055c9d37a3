import { addExact, type Exact, fromInteger } from "./exact.ts";
import { hourOf } from "./timestamp.ts";
import type { DayGroup, UsageDay } from "./usage-day.ts";

interface Group {
  readonly labels: readonly string[];
  value: Exact;
  events: number;
  /** By hour of the UTC day. */
  readonly hours: (Exact | undefined)[];
}

/** How many groups a day may have, how much text their labels, and what the rest is called. */
export interface LabelLimits {
  readonly groupsMax: number;
  readonly textMax: number;
  readonly otherLabel: string;
}

/**
 * One customer's usage of one metric on one UTC day, while it changes. Label groups are capped, so that
 * a label that takes any value cannot fill the meter: what exceeds the cap is counted under one visible
 * group, and the total stays exact.
 */
export class MetricDay {
  readonly metricId: string;
  readonly day: number;
  readonly #groups = new Map<string, Group>();
  #labelLength = 0;
  #version: number;
  #value: Exact = 0;
  #events = 0;
  #rejected: number;
  #lastAt: number;
  #written: UsageDay | undefined;
  #text: string | undefined;

  private constructor(metricId: string, day: number, version: number, rejected: number, lastAt: number) {
    this.metricId = metricId;
    this.day = day;
    this.#version = version;
    this.#rejected = rejected;
    this.#lastAt = lastAt;
  }

  static empty(metricId: string, day: number): MetricDay {
    return new MetricDay(metricId, day, 0, 0, 0);
  }

  static from(usage: UsageDay): MetricDay {
    const metricDay = new MetricDay(usage.metric_id, usage.day, usage.version, usage.rejected, usage.last_at);
    metricDay.#value = fromInteger(usage.value);
    metricDay.#events = usage.events;
    for (const group of usage.groups) {
      const hours: (Exact | undefined)[] = [];
      for (const [hour, value] of Object.entries(group.hours)) hours[Number(hour)] = fromInteger(value);
      metricDay.#keep(keyOf(group.labels), {
        labels: group.labels,
        value: fromInteger(group.value),
        events: group.events,
        hours,
      });
    }
    return metricDay;
  }

  get version(): number {
    return this.#version;
  }

  /** The group that counts these labels: their own, or the one that stands for all beyond the limits. */
  group(labels: readonly string[], limits: LabelLimits): Group {
    const key = keyOf(labels);
    const known = this.#groups.get(key);
    if (known !== undefined) return known;
    const isOther = labels.every((label) => label === limits.otherLabel);
    const isFull = this.#groups.size >= limits.groupsMax || this.#labelLength + key.length > limits.textMax;
    if (isFull && !isOther)
      return this.group(
        labels.map(() => limits.otherLabel),
        limits,
      );
    return this.#keep(key, { labels, value: 0, events: 0, hours: [] });
  }

  #keep(key: string, group: Group): Group {
    this.#groups.set(key, group);
    this.#labelLength += key.length;
    return group;
  }

  /** Adds an event's value to a group of this day. A sum that would leave int64 rejects the event. */
  add(group: Group, value: Exact, instant: number, version: number): void {
    const hour = hourOf(instant);
    const total = addExact(this.#value, value);
    const grouped = addExact(group.value, value);
    const hourly = addExact(group.hours[hour] ?? 0, value);
    if (total === undefined || grouped === undefined || hourly === undefined) return this.reject(version);
    this.#value = total;
    this.#events++;
    group.value = grouped;
    group.hours[hour] = hourly;
    group.events++;
    if (instant > this.#lastAt) this.#lastAt = instant;
    this.#touch(version);
  }

  /** Counts an event that matched and had no usable value. */
  reject(version: number): void {
    this.#rejected++;
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
    const groups: DayGroup[] = [];
    for (const group of this.#groups.values()) {
      const hours: Record<string, string> = {};
      group.hours.forEach((hourly, hour) => {
        if (hourly !== undefined) hours[hour] = hourly.toString();
      });
      groups.push({ labels: group.labels, value: group.value.toString(), events: group.events, hours });
    }
    return {
      metric_id: this.metricId,
      day: this.day,
      version: this.#version,
      value: this.#value.toString(),
      events: this.#events,
      rejected: this.#rejected,
      last_at: this.#lastAt,
      groups,
    };
  }
}

export type { Group as DayCounter };

function keyOf(labels: readonly string[]): string {
  return labels.length === 1 ? (labels[0] ?? "") : JSON.stringify(labels);
}
