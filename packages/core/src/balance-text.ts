import type { BalanceState } from "./balance-state.ts";
import { fromExactJson, toExactJson } from "./exact-json.ts";
import type { Hold } from "./hold.ts";

/** A balance as it is stored: JSON, with its holds as a list. */
export type StoredBalanceState = Omit<BalanceState, "holds"> & { readonly holds: readonly (readonly [string, Hold])[] };

/** A balance as it is stored. */
export function balanceToText(state: BalanceState): string {
  return toExactJson({ ...state, holds: [...state.holds] } satisfies StoredBalanceState);
}

/** Reads back what `balanceToText` wrote. */
export function balanceFromText(text: string): BalanceState {
  return balanceFromStored(fromExactJson(text) as StoredBalanceState);
}

/** The same, of one that has been parsed. */
export function balanceFromStored(stored: StoredBalanceState): BalanceState {
  return { ...stored, holds: new Map(stored.holds) };
}
