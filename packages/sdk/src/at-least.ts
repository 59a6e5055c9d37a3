/** An option that is a number. @throws RangeError when it is below `least`, or no number. */
export function atLeast(least: number, name: string, value: number): number {
  if (value >= least) return value;
  throw new RangeError(`The option ${name} is ${value}: it must be ${least} or more.`);
}
