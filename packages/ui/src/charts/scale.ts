import { scaleLinear } from "d3-scale";

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
  const scale = scaleLinear([lowest, lowest === highest ? 1 : highest], [0, 100]).nice(TICKS);
  return {
    at: (value) => scale(value),
    ticks: scale.ticks(TICKS).map((tick) => ({ at: scale(tick), label: format(asDecimal(tick)) })),
  };
}

/** Per cent as an attribute, to a hundredth. */
export function percent(value: number): string {
  return `${Math.round(value * 100) / 100}%`;
}

/** A tick is a round float: written out without an exponent. */
function asDecimal(tick: number): string {
  return Number.isInteger(tick) ? BigInt(tick).toString() : tick.toFixed(12);
}
