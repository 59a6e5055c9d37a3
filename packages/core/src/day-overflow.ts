import { fitsInt64, fromInteger } from "./exact.ts";
import type { UsageDay } from "./usage-day.ts";

/** Whether any quantity of a day is beyond 64 bits, and so beyond what the database can add up. Only sums can be. */
export function overflowsInt64(day: Pick<UsageDay, "value" | "groups">): boolean {
  return !fits(day.value) || day.groups.some(({ value, hours }) => !fits(value) || !Object.values(hours).every(fits));
}

/** Up to this many characters every whole number fits. */
const SAFE_LENGTH = 18;

function fits(text: string): boolean {
  return text.length <= SAFE_LENGTH || fitsInt64(fromInteger(text));
}
