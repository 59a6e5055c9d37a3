import { lesser, type Part, subtract } from "./bucket.ts";
import { addExact, type Exact } from "./exact.ts";

/** Units set aside until they are committed, released, reported or expired. */
export interface Hold {
  /** `charge`: at expiry all of it counts as used. A lease is only ever ended by its holder, or its return. */
  readonly on_expiry: "release" | "charge" | "stay";
  /** The cycle, by its index, that it was made in. */
  readonly cycle: number;
  /** In milliseconds. */
  expires_at: number;
  units: Exact;
  parts: Part[];
}

/** A hold that ended by itself. */
export interface SettledHold {
  readonly id: string;
  /** What of it counts as used. */
  readonly used: Exact;
  /** When it did, in milliseconds. */
  readonly at: number;
}

/** Splits held units: the first ones pay. */
export function splitParts(parts: readonly Part[], units: Exact): { readonly paid: Part[]; readonly rest: Part[] } {
  const paid: Part[] = [];
  const rest: Part[] = [];
  let open = units;
  for (const [id, held] of parts) {
    const used = lesser(held, open);
    open = subtract(open, used);
    if (used > 0) paid.push([id, used]);
    if (used < held) rest.push([id, subtract(held, used)]);
  }
  return { paid, rest };
}

/** Takes up to `units` of one bucket out of parts. */
export function takeParts(
  parts: readonly Part[],
  bucket: string,
  units: Exact,
): { readonly taken: Exact; readonly rest: Part[] } {
  const part = parts.find(([id]) => id === bucket);
  if (part === undefined) return { taken: 0, rest: [...parts] };
  const taken = lesser(part[1], units);
  const rest = parts.map(([id, held]): Part => (id === bucket ? [id, subtract(held, taken)] : [id, held]));
  return { taken, rest: rest.filter(([, held]) => held > 0) };
}

/** Parts with one entry for each bucket. */
export function mergeParts(parts: readonly Part[]): Part[] {
  const merged = new Map<string, Exact>();
  for (const [id, units] of parts) merged.set(id, addExact(merged.get(id) ?? 0, units));
  return [...merged];
}
