import { fractionalOffset } from "@tidemark/core/time-zone";

/**
 * The zone whose days a report shows: the project's, or UTC where the project's cannot be composed of
 * UTC's hours. The answer names the zone that was used.
 */
export function dayZone(timeZone: string, from: number, to: number): string {
  return fractionalOffset(timeZone, from, to) === undefined ? timeZone : "UTC";
}
