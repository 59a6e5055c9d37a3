import type { Aggregation } from "@tidemark/core";
import { hash52 } from "@tidemark/core";
import type { Use } from "./fixture.ts";

/** What uses come to, by another way than the code takes; `undefined` when there are none. */
export function compose(aggregation: Aggregation, uses: readonly Use[]): bigint | undefined {
  const values = uses.map(({ value = 1 }) => BigInt(value));
  if (values.length === 0) return undefined;
  switch (aggregation) {
    case "count":
    case "sum":
      return values.reduce((sum, value) => sum + value, 0n);
    case "max":
      return values.reduce((most, value) => (value > most ? value : most));
    case "min":
      return values.reduce((least, value) => (value < least ? value : least));
    case "unique":
      return BigInt(new Set(values).size);
    case "latest": {
      const tie = ({ id = "" }: Use): number => hash52(id);
      return BigInt(uses.toSorted((a, b) => a.at - b.at || tie(a) - tie(b)).at(-1)?.value ?? 1);
    }
  }
}

/** The same as answers show it of a metric that allows negatives. */
export function shown(aggregation: Aggregation, uses: readonly Use[]): string | null {
  const empty = aggregation === "count" || aggregation === "sum" || aggregation === "unique" ? "0" : null;
  return compose(aggregation, uses)?.toString() ?? empty;
}
