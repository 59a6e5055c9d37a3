import type { Trend } from "@tidemark/core/trend";
import type { FC } from "hono/jsx";
import { sumDecimals } from "./decimal.ts";
import { counted } from "./format.ts";
import { Quantity } from "./quantity.tsx";
import { addsUp, type TopCustomersReport } from "./top-customers-report.ts";
import { TREND_LABELS } from "./trend-badge.tsx";

/** The figures a reader wants first: how much in all, or by one at most where that does not add up, whom to sell more to, whom to call. */
export const Highlights: FC<{ readonly report: TopCustomersReport }> = ({ report }) => {
  const count = (trend: Trend): number => report.data.filter((row) => row.trend === trend).length;
  const totals = report.data.map(({ total }) => total);
  return (
    <dl class="highlights">
      <div>
        <dt>
          {addsUp(report) ? report.name : `Highest ${report.name}`}, {counted(report.days, "day")}
        </dt>
        <dd>
          <Quantity
            text={addsUp(report) ? sumDecimals(totals) : (totals[0] ?? "0")}
            unit={report.unit}
            approximate={report.approximate}
          />
        </dd>
      </div>
      <Count label="Customers ranked" count={report.data.length} />
      <Count label="Growing" count={count("growing")} note={named(["new"], count)} />
      <Count
        label="Need attention"
        count={count("check_in") + count("dormant")}
        note={named(["check_in", "dormant"], count)}
      />
    </dl>
  );
};

const Count: FC<{ readonly label: string; readonly count: number; readonly note?: string }> = ({
  label,
  count,
  note,
}) => (
  <div>
    <dt>{label}</dt>
    <dd>
      {count}
      {note !== undefined && note !== "" && <small>{note}</small>}
    </dd>
  </div>
);

/** `1 check in, 2 dormant`, leaving out what nobody is. */
function named(trends: readonly Trend[], count: (trend: Trend) => number): string {
  return trends
    .filter((trend) => count(trend) > 0)
    .map((trend) => `${count(trend)} ${TREND_LABELS[trend].word}`)
    .join(", ");
}
