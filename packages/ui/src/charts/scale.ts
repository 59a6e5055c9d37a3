import { nice, ticks } from "d3-array";

/** How many lines an axis is divided by, about. */
const TICKS = 4;

export interface Scale {
  /** Where a value stands, in per cent of the axis. */
  at(value: number): number;
  readonly ticks: readonly { readonly at: number; readonly label: string }[];
}

/** A scale over exact decimals that begins at zero, or below where values are, and ends on a round number. */
export function toScale(values: readonly string[], format: (value: string) => string): Scale {
  const numbers = values.map(Number);
  const lowest = Math.min(0, ...numbers);
  const highest = Math.max(0, ...numbers);
  const [start, end] = nice(lowest, lowest === highest ? 1 : highest, TICKS);
  const at = linear([start, end], [0, 100]);
  return { at, ticks: ticks(start, end, TICKS).map((tick) => ({ at: at(tick), label: format(asDecimal(tick)) })) };
}

/** Takes one span to another: what stands at the start of the first, at the start of the second. */
export function linear([from, to]: readonly [number, number], [start, end]: readonly [number, number]) {
  return (value: number): number => start + ((value - from) / (to - from)) * (end - start);
}

/** Per cent as an attribute, to a hundredth. */
export function percent(value: number): string {
  return `${Math.round(value * 100) / 100}%`;
}

/** A tick is a round float: written out without an exponent. */
function asDecimal(tick: number): string {
  return Number.isInteger(tick) ? BigInt(tick).toString() : tick.toFixed(12);
}
