import { formatExact } from "./exact.ts";
import type { Aggregation } from "./metric.ts";

/** What of a definition turns values into a result. */
interface Rule {
  readonly aggregation: Aggregation;
  readonly decimal_places: number;
  readonly allow_negative: boolean;
}

/** A value that counted. */
export interface Entry {
  readonly value: bigint;
  /** As people see it; for `unique` the id. */
  readonly text: string;
  /** Bit `i`: in segment `i`. */
  readonly segments: number;
  /** When it was said, in milliseconds, and what decides between two that were said at once. */
  readonly at: number;
  readonly tie: number;
}

/** The result of what counted, after `state`, in the smallest unit; `null` when there is none. */
export function aggregate(aggregation: Aggregation, entries: readonly Entry[], state: bigint | null): bigint | null {
  const values = entries.map(({ value }) => value);
  const known = state === null ? values : [state, ...values];
  switch (aggregation) {
    case "count":
    case "sum":
      return known.reduce((total, value) => total + value, 0n);
    case "unique":
      return (state ?? 0n) + BigInt(new Set(entries.map(({ text }) => text)).size);
    case "max":
      return known.reduce((best: bigint | null, value) => (best === null || value > best ? value : best), null);
    case "min":
      return known.reduce((best: bigint | null, value) => (best === null || value < best ? value : best), null);
    case "latest":
      return inTime(entries).at(-1)?.value ?? state;
  }
}

/** The later comes later; of those at one time, the one with the higher hash. */
function inTime(entries: readonly Entry[]): readonly Entry[] {
  return entries.toSorted((a, b) => a.at - b.at || a.tie - b.tie);
}

/** A quantity as it is read: below zero only where the metric allows it. */
export function toShown(value: bigint | null, { allow_negative, decimal_places }: Rule): string | null {
  if (value === null) return null;
  return formatExact(value < 0n && !allow_negative ? 0n : value, decimal_places);
}

/** A line of numbers that are made up, for before there are events. */
export function exampleLine(definition: Rule): string {
  const texts = { count: ["1", "1", "1"], sum: ["1", "2", "3"], unique: ["a", "b", "a"] };
  const { aggregation } = definition;
  const chosen = aggregation in texts ? texts[aggregation as keyof typeof texts] : ["10", "20", "30"];
  const entries = chosen.map((text, at) => {
    const value = aggregation === "unique" ? 0n : BigInt(text) * 10n ** BigInt(definition.decimal_places);
    return { value, text, segments: 0, at, tie: 0 };
  });
  return workedOut(definition, entries, null);
}

/** Terms of a line; of more, the first and the last are shown. */
const TERMS_MAX = 10;
const TERM_LENGTH_MAX = 40;

/** A result, worked out: `1 + 2 + 3 = 6`, `max(10, 20, 30) = 30`. */
export function workedOut(definition: Rule, entries: readonly Entry[], state: bigint | null): string {
  const { aggregation, decimal_places } = definition;
  const texts = (aggregation === "latest" ? inTime(entries) : entries).map(({ text }) => shorten(text));
  const before = state === null ? [] : [formatExact(state, decimal_places)];
  const result = aggregate(aggregation, entries, state) ?? 0n;
  const exact = formatExact(result, decimal_places);
  const shown = toShown(result, definition) ?? exact;
  const end = shown === exact ? exact : `${exact}, shown as ${shown}`;
  if (aggregation === "count" || aggregation === "sum") return `${abridge([...before, ...texts]).join(" + ")} = ${end}`;
  if (aggregation === "unique") return `${[...before, `unique(${abridge(texts).join(", ")})`].join(" + ")} = ${end}`;
  return `${aggregation}(${abridge([...before, ...texts]).join(", ")}) = ${end}`;
}

function abridge(terms: readonly string[]): readonly string[] {
  return terms.length <= TERMS_MAX ? terms : [...terms.slice(0, TERMS_MAX - 2), "…", ...terms.slice(-1)];
}

function shorten(text: string): string {
  return text.length <= TERM_LENGTH_MAX ? text : `${text.slice(0, TERM_LENGTH_MAX - 1)}…`;
}
