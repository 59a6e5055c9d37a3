import type { EventColumns } from "@tidemark/contract";
import { ABSENT, dayOf } from "@tidemark/core";
import type { IdMemory } from "./id-memory.ts";

/** Which events of a call are new, and what the others are. */
export interface Verdicts {
  readonly fresh: number;
  readonly duplicates: number;
  /** Indexes of events whose id is known with other content. */
  readonly conflicts: readonly number[];
  /** Indexes of events older than the memory. */
  readonly forgotten: readonly number[];
  /** 1 for an event that is new. */
  readonly isFresh: Uint8Array;
}

/** Tells new ids from known ones, and remembers the new. */
export function remember(ids: IdMemory, { fingerprints, instants }: EventColumns): Verdicts {
  let fresh = 0;
  let duplicates = 0;
  const conflicts: number[] = [];
  const forgotten: number[] = [];
  const isFresh = new Uint8Array(instants.length);
  for (let i = 0; i < instants.length; i++) {
    const low = fingerprints[3 * i] ?? 0;
    const high = fingerprints[3 * i + 1] ?? 0;
    const content = fingerprints[3 * i + 2] ?? 0;
    const day = dayOf(instants[i] ?? 0);
    if (ids.isForgotten(day)) {
      forgotten.push(i);
      continue;
    }
    const known = ids.find(low, high);
    if (known === ABSENT) {
      ids.add(low, high, content, day);
      isFresh[i] = 1;
      fresh++;
    } else if (known === content) duplicates++;
    else conflicts.push(i);
  }
  return { fresh, duplicates, conflicts, forgotten, isFresh };
}
