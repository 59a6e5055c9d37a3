import type { FC } from "hono/jsx";
import { formatExactNumber } from "./format.ts";

/** Under a table that does not show all of its rows: how many it leaves out, and where they are. */
export const MoreRows: FC<{ readonly count: number; readonly noun: string }> = ({ count, noun }) =>
  count <= 0 ? null : (
    <p class="more">
      {formatExactNumber(String(count))} more {count === 1 ? `${noun} is` : `${noun}s are`} in the CSV.
    </p>
  );
