import type { FC } from "hono/jsx";
import { formatCompact, formatExactNumber } from "./format.ts";

interface QuantityProps {
  readonly text: string;
  readonly unit: string;
  /** Whether it is an estimate. */
  readonly approximate: boolean;
}

/** At a glance and exactly, each where it can be read; an estimate says that it is one. */
export const Quantity: FC<QuantityProps> = ({ text, unit, approximate }) => {
  const exact = formatExactNumber(text);
  const compact = formatCompact(text);
  const mark = approximate ? "≈ " : "";
  return (
    <>
      <data value={text} title={`${mark}${exact} ${unit}`.trimEnd()}>
        {mark}
        {compact}
      </data>
      {compact !== exact && !approximate && <small>{exact}</small>}
    </>
  );
};
