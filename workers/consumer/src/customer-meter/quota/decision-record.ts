import type { Decision, DenialReason, ThresholdCrossing } from "@tidemark/contract";
import type { Enforcement } from "@tidemark/core";

/** What a decision counted, so that an event with the same id completes it instead of counting again. */
export interface Counted {
  readonly metric_id: string;
  /** Of the metric's version: under `decidedCounter` of it. */
  readonly counter_id: string;
  readonly labels: readonly string[];
  readonly segments: number;
  /** In the metric's smallest unit, as text. */
  readonly units: string;
  /** When, in milliseconds, if not with the decision. */
  readonly at?: number | undefined;
}

/** Who paid, of one balance. */
export interface Paid {
  readonly balance: string;
  readonly parts: readonly (readonly [bucket: string, units: string])[];
}

export type DecisionKind = "consume" | "reserve" | "commit" | "release" | "report";

/** A decision as the meter remembers it. */
export interface DecisionRecord {
  readonly id: string | null;
  readonly kind: DecisionKind;
  /** Milliseconds. */
  readonly at: number;
  /** Tells the same request from another one with the same id. */
  readonly content: number;
  readonly counted: readonly Counted[];
  readonly paid: readonly Paid[];
  readonly answers: readonly Decision[];
  /** What only reservations and leases say. */
  readonly extra: Readonly<Record<string, unknown>> | null;
}

/** A record as JSON: an array without names, because thousands of them are kept. */
export function recordToText(record: DecisionRecord): string {
  const { id, kind, at, content, counted, paid, answers, extra } = record;
  return JSON.stringify([
    id,
    kind,
    at,
    content,
    counted.map(({ metric_id, counter_id, labels, segments, units, at: countedAt }) => {
      const fields = [metric_id, counter_id === metric_id ? 0 : counter_id, labels, segments, units];
      return countedAt === undefined ? fields : [...fields, countedAt];
    }),
    paid.map(({ balance, parts }) => [balance, parts]),
    answers.map(pack),
    extra,
  ]);
}

/** Reads back what `recordToText` wrote. */
export function recordFromText(text: string): DecisionRecord {
  return toRecord(JSON.parse(text) as PackedRecord);
}

/** The same, of one that has been parsed. */
export function toRecord([id, kind, at, content, counted, paid, answers, extra]: PackedRecord): DecisionRecord {
  return {
    id,
    kind,
    at,
    content,
    counted: counted.map(([metric_id, counter, labels, segments, units, countedAt]) => ({
      metric_id,
      counter_id: counter === 0 ? metric_id : counter,
      labels,
      segments,
      units,
      at: countedAt,
    })),
    paid: paid.map(([balance, parts]) => ({ balance, parts })),
    answers: answers.map(unpack),
    extra,
  };
}

export type PackedRecord = readonly [
  id: string | null,
  kind: DecisionKind,
  at: number,
  content: number,
  counted: readonly (readonly [string, string | 0, readonly string[], number, string, number?])[],
  paid: readonly (readonly [string, readonly (readonly [string, string])[]])[],
  answers: readonly PackedAnswer[],
  extra: Readonly<Record<string, unknown>> | null,
];

type PackedAnswer = readonly [
  metric: string,
  allowed: 0 | 1,
  reason: DenialReason | 0,
  enforcement: Enforcement | null,
  enforced: 0 | 1,
  limit: string | null,
  carried: string,
  used: string,
  reserved: string,
  remaining: string | null,
  overage: string,
  over: 0 | 1,
  start: string | null,
  end: string | null,
  crossed?: readonly ThresholdCrossing[],
];

function pack(answer: Decision): PackedAnswer {
  const { metric, reason, enforcement, limit, carried, used, reserved, remaining, overage, cycle } = answer;
  const fields = [
    metric,
    answer.allowed ? 1 : 0,
    reason ?? 0,
    enforcement,
    answer.enforced ? 1 : 0,
    limit,
    carried,
    used,
    reserved,
    remaining,
    overage,
    answer.over_limit ? 1 : 0,
    cycle?.start ?? null,
    cycle?.end ?? null,
  ] as const;
  return answer.thresholds_crossed === undefined ? fields : [...fields, answer.thresholds_crossed];
}

function unpack(packed: PackedAnswer): Decision {
  const [metric, allowed, reason, enforcement, enforced, limit, carried, used, reserved, remaining] = packed;
  const [overage, over, start, end, crossed] = packed.slice(10) as unknown as [
    string,
    0 | 1,
    string | null,
    string | null,
    readonly ThresholdCrossing[] | undefined,
  ];
  return {
    allowed: allowed === 1,
    metric,
    ...(reason === 0 ? {} : { reason }),
    enforcement,
    enforced: enforced === 1,
    limit,
    carried,
    used,
    reserved,
    remaining,
    overage,
    over_limit: over === 1,
    cycle: start === null || end === null ? null : { start, end },
    ...(crossed === undefined ? {} : { thresholds_crossed: crossed }),
  };
}
