import { HOUR_MS, parseTimestamp } from "@tidemark/core/timestamp";
import type { FC } from "hono/jsx";
import { formatAgo, formatDuration, formatInstant } from "./format.ts";

/** Figures older than this are announced as old. */
const STALE_FROM_MS = HOUR_MS;

/** Up to when usage is in the figures, and what makes them newer. */
export const Freshness: FC<{ readonly asOf: string; readonly now: number }> = ({ asOf, now }) => {
  const at = parseTimestamp(asOf);
  const old = now - at >= STALE_FROM_MS;
  return (
    <p class={old ? "freshness old" : "freshness"}>
      <time datetime={asOf}>As of {formatInstant(at)}</time>
      <span>
        {old
          ? `These figures are ${formatDuration(now - at)} old`
          : `Updated ${formatAgo(at, now)}, refreshed when usage changes`}
      </span>
    </p>
  );
};
