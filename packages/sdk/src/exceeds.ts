import type { Quantity } from "./decision.ts";

/** Whether one quantity is more than another, exactly. `false` when one is no decimal: the server says what is wrong. */
export function exceeds(quantity: Quantity, limit: Quantity): boolean {
  const [a, b] = [partsOf(quantity), partsOf(limit)];
  if (a === null || b === null) return false;
  const places = Math.max(a.fraction.length, b.fraction.length);
  return scaled(a, places) > scaled(b, places);
}

interface Parts {
  readonly whole: string;
  readonly fraction: string;
}

function partsOf(quantity: Quantity): Parts | null {
  const found = /^(\d+)(?:\.(\d+))?$/.exec(String(quantity));
  return found === null ? null : { whole: found[1] ?? "", fraction: found[2] ?? "" };
}

function scaled({ whole, fraction }: Parts, places: number): bigint {
  return BigInt(whole + fraction.padEnd(places, "0"));
}
