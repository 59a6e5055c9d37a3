import { MEMORY_DAYS } from "@tidemark/contract";
import { FIGURES_DAYS_MAX, FIGURES_ROWS_MAX } from "@tidemark/contract/query-limits";
import type { Backlog, Figure } from "@tidemark/db/platform-figures";
import { VERSION } from "../../version.ts";
import type { QueueBacklog } from "./read-queues.ts";
import type { DaysEvents, Events, MetricEvents } from "./read-events.ts";
import type { Family, Sample } from "./write-openmetrics.ts";

/** Everything that is told. */
export interface Figures {
  /** Milliseconds. */
  readonly now: number;
  readonly events: Events;
  readonly backlog: Backlog;
  /** Empty for who may not see them. */
  readonly queues: readonly QueueBacklog[];
  /** Of one metric; `null` when nobody asked. */
  readonly customers: { readonly metric: string; readonly top: readonly Figure[] } | null;
}

/**
 * The figures as families. All are gauges: days pass and take their events with them, and a recount can take some
 * back, so none of them only ever grows, as a counter must.
 */
export function toFamilies({ now, events, backlog, queues, customers }: Figures): readonly Family[] {
  return [
    {
      name: "tidemark_build",
      type: "info",
      help: "The version that answers.",
      samples: [{ labels: { version: VERSION }, value: 1 }],
    },
    gauge("tidemark_metric_events_today", "Events that a metric counted today (UTC).", of(events.today, "events")),
    gauge(
      "tidemark_metric_rejected_today",
      "Events of today (UTC) that matched a metric and had no usable value.",
      of(events.today, "rejected"),
    ),
    gauge(
      "tidemark_metric_events_before_today",
      `Events that a metric counted on the ${MEMORY_DAYS} days before today (UTC), at most an hour ago.`,
      of(events.before, "events"),
    ),
    gauge(
      "tidemark_metric_rejected_before_today",
      `Events of the ${MEMORY_DAYS} days before today (UTC) that matched a metric and had no usable value, at most an hour ago.`,
      of(events.before, "rejected"),
    ),
    ...(customers === null
      ? []
      : [
          gauge(
            "tidemark_customer_events_today",
            "Events that a metric counted today (UTC) of the customers with most.",
            customers.top.map(({ key, count }) => ({
              labels: { metric: customers.metric, customer_id: key },
              value: count,
            })),
          ),
        ]),
    gauge(
      "tidemark_events_complete",
      `Whether all events of these days are in the figures above: 0 when there are more than ${FIGURES_DAYS_MAX} days of ` +
        "customers, of which they are the least that they can be, or when counting failed, for an hour without figures.",
      [
        { labels: { days: "today" }, value: Number(events.today.isComplete) },
        { labels: { days: "before_today" }, value: Number(events.before?.isComplete ?? false) },
      ],
    ),
    gauge(
      "tidemark_customers",
      `Customers, at most an hour ago; ${FIGURES_DAYS_MAX} are that or more.`,
      events.customers === null ? [] : [{ labels: {}, value: events.customers }],
    ),
    gauge(
      "tidemark_quarantine_events",
      `Entries of quarantine that nobody has put back, among the newest ${FIGURES_ROWS_MAX}.`,
      counted(backlog.quarantine, "reason", ["conflict", "forgotten", "dead_letter", "unreadable"]),
    ),
    gauge(
      "tidemark_deliveries",
      `Notices on their way, among the newest ${FIGURES_ROWS_MAX}.`,
      counted(backlog.deliveries, "state", ["waiting", "delivered", "failed"]),
    ),
    gauge(
      "tidemark_jobs",
      `Recounts and questions to the archive, among the newest ${FIGURES_ROWS_MAX}.`,
      counted(backlog.jobs, "state", ["waiting", "running", "done", "failed"]),
    ),
    {
      ...gauge(
        "tidemark_flush_lag_seconds",
        "How long ago the oldest flush was due that has not been seen to arrive, or less. Up to 300 is normal: so often is looked.",
        [{ labels: {}, value: lagSeconds(backlog, now) }],
      ),
      unit: "seconds",
    },
    {
      ...gauge(
        "tidemark_queue_backlog_messages",
        "Messages that wait in a queue of the deployment, every project's. Only a key with the scope admin is told.",
        queues.map(({ queue, messages }) => ({ labels: { queue }, value: messages })),
      ),
      unit: "messages",
    },
    {
      ...gauge(
        "tidemark_queue_backlog_bytes",
        "Bytes that wait in a queue of the deployment, every project's. Only a key with the scope admin is told.",
        queues.map(({ queue, bytes }) => ({ labels: { queue }, value: bytes })),
      ),
      unit: "bytes",
    },
  ];
}

function gauge(name: string, help: string, samples: readonly Sample[]): Family {
  return { name, type: "gauge", help, samples };
}

function of(days: DaysEvents | null, figure: "events" | "rejected"): readonly Sample[] {
  return (days?.metrics ?? []).map((metric: MetricEvents) => ({
    labels: { metric: metric.metric },
    value: metric[figure],
  }));
}

/** Every key has a sample, also one that counts nothing: a series that comes and goes cannot be alerted on. */
function counted(figures: readonly Figure[], label: string, keys: readonly string[]): readonly Sample[] {
  const counts = new Map(figures.map(({ key, count }) => [key, count]));
  return keys.map((key) => ({ labels: { [label]: key }, value: counts.get(key) ?? 0 }));
}

function lagSeconds({ oldest_due_at }: Backlog, now: number): number {
  return oldest_due_at === null ? 0 : Math.max(0, Math.round((now - oldest_due_at) / 1000));
}
