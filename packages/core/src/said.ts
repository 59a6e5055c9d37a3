/** When a value was said, in milliseconds, and by which event: a 52-bit hash of its id. */
export type Said = readonly [at: number, tie: number];

/** Whether a value was said after another; at one time, the one with the higher hash. */
export function isLater([at, tie]: Said, [otherAt, otherTie]: Said): boolean {
  return at > otherAt || (at === otherAt && tie > otherTie);
}
