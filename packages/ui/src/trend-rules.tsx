import { TREND_RULES, TREND_RULES_VERSION } from "@tidemark/core/trend";
import type { FC } from "hono/jsx";
import { TrendBadge } from "./trend-badge.tsx";

/** The rules behind the trend column, as the classifier tries them. */
export const TrendRules: FC = () => (
  <section class="rules" aria-labelledby="trend-rules">
    <h2 id="trend-rules">How trends are decided</h2>
    <dl>
      {TREND_RULES.map(({ trend, when }) => (
        <div>
          <dt>
            <TrendBadge trend={trend} />
          </dt>
          <dd>{when}</dd>
        </div>
      ))}
    </dl>
    <p>
      The first rule that matches decides, at the time of the report. Comparisons use whole days and leave today out.
      Rules version {TREND_RULES_VERSION}.
    </p>
  </section>
);
