import type { DecideProblem, DecideReply, DecideRequest, RawAmount } from "@tidemark/contract";
import { DECIMAL_PLACES_MAX, type Exact, hash32, type Json, type Metric, toExact, toLabel } from "@tidemark/core";
import type { Counted } from "./decision-record.ts";
import type { Metered } from "./metered-metrics.ts";
import type { Quotas } from "./quotas.ts";

/** Where decisions are made: the customer's quotas, the clock, and what else the meter knows. */
export interface Desk {
  readonly quotas: Quotas;
  /** Milliseconds. */
  readonly now: number;
  /** Whether the meter has ever counted, or been told, anything. */
  readonly isKnown: boolean;
  /** Whether an event with this id has been counted. */
  hasEvent(id: string): boolean;
}

/** Counts something among the customer's days: under an id, at an instant in milliseconds. */
export type CountDecided = (counted: DecidedCount) => void;

export interface DecidedCount extends Place {
  readonly metric: Metric;
  /** In the metric's smallest unit; for `unique` the id's 52-bit hash. */
  readonly value: Exact;
  readonly id: string;
  readonly at: number;
}

/** Under which labels and segments something is counted. */
export interface Place {
  readonly labels: readonly string[];
  readonly segments: number;
}

/** What a decision did to the meter. `denied`: something to remember, but nothing was counted. */
export type Effect = "none" | "denied" | "counted";

/** A decision, and what it did. */
export interface Decided {
  readonly reply: DecideReply;
  readonly effect: Effect;
}

export type Properties = Readonly<Record<string, unknown>> | null;

/** Something that the caller has to correct. */
export function problem(code: DecideProblem["code"], detail: string, pointer?: string): Decided {
  return { reply: { kind: "problem", code, detail, ...(pointer === undefined ? {} : { pointer }) }, effect: "none" };
}

/** One kind of question. */
export type RequestOf<Kind extends DecideRequest["kind"]> = Extract<DecideRequest, { readonly kind: Kind }>;

/** Why a question cannot be answered; thrown within a decision, and turned into its reply. */
export class Refused extends Error {
  readonly decided: Decided;

  constructor(decided: Decided) {
    super("refused");
    this.decided = decided;
  }
}

/** An amount in a metric's smallest unit. @throws Refused when it is none. */
export function toUnits(amount: RawAmount, { metric }: Metered, pointer: string): Exact {
  const units = toExact(amount, metric.decimal_places);
  if (typeof units === "number" || typeof units === "bigint") return units;
  const places = metric.decimal_places;
  throw new Refused(
    problem(
      "invalid_request",
      units === "too_precise"
        ? `${metric.slug} has ${places} decimal places; ${amount} has more.`
        : `${JSON.stringify(amount)} is not a decimal that can be counted.`,
      pointer,
    ),
  );
}

/** An amount as its value, however it is written. */
export function canonical(amount: RawAmount): string {
  const units = toExact(amount, DECIMAL_PLACES_MAX);
  return typeof units === "string" ? String(amount) : units.toString();
}

/** Where something with these properties is counted. */
export function placeOf({ compiled }: Metered, properties: Properties): Place {
  const known = (properties ?? {}) as Readonly<Record<string, Json>>;
  const labels = compiled.labels.map((read) => toLabel(read(known)));
  let segments = 0;
  compiled.segments.forEach((passes, bit) => {
    if (passes(known)) segments |= 1 << bit;
  });
  return { labels, segments };
}

/** Tells one request from another. */
export function contentOf(...parts: readonly unknown[]): number {
  return hash32(JSON.stringify(parts), 0x51ed270b);
}

/** What was counted, as it is remembered. @param at when, in milliseconds, if not with the decision. */
export function toCounted({ id, counter_id }: Metric, { labels, segments }: Place, value: Exact, at?: number): Counted {
  return { metric_id: id, counter_id, labels, segments, units: value.toString(), at };
}
