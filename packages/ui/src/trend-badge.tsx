import type { Trend } from "@tidemark/core/trend";
import type { FC } from "hono/jsx";
import { formatChange } from "./format.ts";

/** Word and icon of each class: stars say how urgently somebody should look, and no class is told by colour alone. */
export const TREND_LABELS: Readonly<Record<Trend, { readonly icon: string; readonly word: string }>> = {
  new: { icon: "◆", word: "new" },
  dormant: { icon: "★★", word: "dormant" },
  check_in: { icon: "★", word: "check in" },
  growing: { icon: "▲", word: "growing" },
  declining: { icon: "▼", word: "declining" },
  steady: { icon: "●", word: "steady" },
};

/** Icon and word of a trend. */
export const TrendBadge: FC<{ readonly trend: Trend }> = ({ trend }) => (
  <span class={`trend trend-${trend}`}>
    <span aria-hidden="true">{TREND_LABELS[trend].icon}</span> {TREND_LABELS[trend].word}
  </span>
);

/** The badge with the change behind it; it opens, by pointer or key, to the rule that decided. */
export const TrendCell: FC<{
  readonly trend: Trend;
  readonly detail: { readonly change: string | null; readonly rule: string };
}> = ({ trend, detail }) => (
  <details class="why">
    <summary title={detail.rule}>
      <TrendBadge trend={trend} />
      {detail.change !== null && <span class="change">{formatChange(detail.change)}</span>}
    </summary>
    <p>{detail.rule}</p>
  </details>
);
