import type {
  ErrorRateAnswer,
  HeavyLabelsAnswer,
  HourOfDayAnswer,
  ReportQuestion,
} from "@tidemark/contract/report-schema";
import { datesUntil } from "./oracle-calendar.ts";
import { bySize, byText, sumOf, type Use } from "./oracle-usage.ts";
import type { OracleView } from "./oracle-view.ts";

type QuestionOf<Name> = Extract<ReportQuestion, { readonly report: Name }>["params"];

export function heavyLabels(
  view: OracleView,
  { days, limit, label: asked }: QuestionOf<"heavy-labels">,
): HeavyLabelsAnswer {
  const label = asked ?? view.metric.labels[0] ?? "";
  const dates = datesUntil(view.today, days);
  return {
    report: "heavy-labels",
    ...view.about(days, dates),
    label,
    rule: `The 10 largest values of ${label} of each customer; the rest together is "(other)".`,
    data: view.ranked(dates, limit).map(({ uses, ...row }) => ({
      ...row,
      total: view.text(sumOf(uses)),
      labels: heaviest(uses, label).map(([name, units]) => ({
        label: name,
        value: view.text(units),
        share: view.share(units, sumOf(uses)),
      })),
    })),
  };
}

export function hoursOfDay(view: OracleView, { days, limit }: QuestionOf<"hour-of-day">): HourOfDayAnswer {
  const dates = datesUntil(view.today, days);
  return {
    report: "hour-of-day",
    ...view.about(days, dates),
    rule: "The busiest 3 hours of the day hold 50% or more of the usage: bursty; else steady.",
    data: view.ranked(dates, limit).map(({ uses, ...row }) => {
      const hours = Array.from({ length: 24 }, (_, hour) => sumOf(uses.filter((use) => use.hour === hour)));
      return {
        ...row,
        total: view.text(sumOf(uses)),
        hours: hours.map((units) => view.text(units)),
        ...rhythm(view, hours, sumOf(uses)),
      };
    }),
  };
}

export function errorRates(view: OracleView, { days, limit }: QuestionOf<"error-rate">): ErrorRateAnswer {
  const dates = datesUntil(view.today, days);
  return {
    report: "error-rate",
    ...view.about(days, dates),
    rule: "Statuses 400 to 499 and 500 to 599 are errors; every other status, or none, is not.",
    data: view.ranked(dates, limit).map(({ uses, ...row }) => {
      const failed = (status: RegExp): bigint =>
        view.shown(sumOf(uses.filter(({ properties }) => status.test(labelOf(properties["status"])))));
      const [client, server] = [failed(/^4\d\d$/), failed(/^5\d\d$/)];
      return {
        ...row,
        total: view.text(sumOf(uses)),
        errors_4xx: view.text(client),
        errors_5xx: view.text(server),
        rate: view.share(client + server, sumOf(uses)),
      };
    }),
  };
}

/** By units, the largest first, equals by their text: ten at most, and what is left together. */
function heaviest(uses: readonly Use[], label: string): readonly (readonly [label: string, units: bigint])[] {
  const byLabel = Map.groupBy(uses, ({ properties }) => labelOf(properties[label]));
  const sorted = Array.from(byLabel, ([name, own]) => [name, sumOf(own)] as const).toSorted(
    ([a, x], [b, y]) => bySize(x, y) || byText(a, b),
  );
  const rest = sorted.slice(10);
  if (rest.length === 0) return sorted;
  return [...sorted.slice(0, 10), ["(other)", rest.reduce((sum, [, units]) => sum + units, 0n)]];
}

/** A label as text; an event without it is under the empty one. */
function labelOf(property: string | number | undefined): string {
  return property === undefined ? "" : String(property);
}

function rhythm(
  view: OracleView,
  hours: readonly bigint[],
  total: bigint,
): Pick<HourOfDayAnswer["data"][number], "peak_hour" | "peak_share" | "busiest_share" | "rhythm"> {
  // What was given back in an hour is no use in it.
  const used = hours.map((units) => (units < 0n ? 0n : units));
  const all = used.reduce((sum, units) => sum + units, 0n);
  if (all === 0n) return { peak_hour: null, peak_share: null, busiest_share: null, rhythm: null };
  const sorted = used.toSorted(bySize);
  const [peak = 0n, second = 0n, third = 0n] = sorted;
  const busiest = peak + second + third;
  return {
    peak_hour: used.indexOf(peak),
    peak_share: view.share(peak, total),
    busiest_share: view.share(busiest, total),
    rhythm: busiest * 2n >= all ? "bursty" : "steady",
  };
}
