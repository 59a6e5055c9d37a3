import type { FC } from "hono/jsx";
import { formatDayShort, formatExactNumber } from "./format.ts";
import { displayName, type TopCustomersReport } from "./top-customers-report.ts";

/** The exact figure behind every small bar, newest day first. */
export const DailyTable: FC<{ readonly report: TopCustomersReport }> = ({ report }) => {
  const days = (report.data[0]?.series ?? []).map(({ day }) => day).toReversed();
  return (
    <details class="daily">
      <summary>Every day in figures</summary>
      <div class="scroller" role="region" aria-label="Every day in figures" tabindex={0}>
        <table>
          <thead>
            <tr>
              <th scope="col">Customer</th>
              {days.map((day) => (
                <th scope="col" class="number">
                  {formatDayShort(day)}
                  {day === report.incomplete_day && <small> so far</small>}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {report.data.map((row) => (
              <tr>
                <th scope="row">
                  <bdi>{displayName(row)}</bdi>
                </th>
                {row.series.toReversed().map(({ value }) => (
                  <td class="number">{formatExactNumber(value)}</td>
                ))}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
};
