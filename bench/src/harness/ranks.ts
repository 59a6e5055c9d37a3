import { customerId } from "@tidemark/testing/workload";

/** Customers by their ranks, the second one exclusive. */
export interface Ranks {
  readonly from: number;
  readonly to: number;
}

/** The ranks as an address names them. */
export function ranksOf(query: URLSearchParams): Ranks {
  return { from: Number(query.get("from")), to: Number(query.get("to")) };
}

/** The same, written into an address. */
export function toQuery({ from, to }: Ranks): string {
  return `from=${from}&to=${to}`;
}

/** Their names. */
export function customersOf({ from, to }: Ranks): readonly string[] {
  return Array.from({ length: to - from }, (_, index) => customerId(from + index));
}
