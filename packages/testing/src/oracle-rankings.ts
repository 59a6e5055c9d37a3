import type {
  ComparedAnswer,
  DormantAnswer,
  NearLimitAnswer,
  ReportQuestion,
  TopCustomersAnswer,
} from "@tidemark/contract/report-schema";
import { addDays, datesUntil } from "./oracle-calendar.ts";
import { judgeTrend } from "./oracle-trend.ts";
import { bySize, byText, decimalText, instantText, lastOf, quotientText, sumOf } from "./oracle-usage.ts";
import type { OracleView } from "./oracle-view.ts";

const DAY_MS = 86_400_000;

type QuestionOf<Name> = Extract<ReportQuestion, { readonly report: Name }>["params"];

export function topCustomers(view: OracleView, { days, limit }: QuestionOf<"top-customers">): TopCustomersAnswer {
  const dates = datesUntil(view.today, days);
  const weeks = datesUntil(addDays(view.today, -1), 14);
  const before = datesUntil(addDays(view.today, -days), days);
  return {
    report: "top-customers",
    ...view.about(days, dates),
    incomplete_day: view.today,
    data: view.ranked(dates, limit).map(({ customer_id, uses, ...row }) => {
      const total = (some: readonly string[]): bigint => view.shown(sumOf(view.usage.of(customer_id, some)));
      const active_days = new Set(uses.map(({ date }) => date)).size;
      const { trend, ...trend_detail } = judgeTrend({
        now: view.now,
        first_seen_at: view.firstSeen.get(customer_id) ?? NaN,
        last_seen_at: lastOf(uses),
        active_days,
        days,
        current: total(dates.slice(0, -1)),
        previous: total(before.slice(0, -1)),
        last7: total(weeks.slice(7)),
        previous7: total(weeks.slice(0, 7)),
      });
      return {
        ...row,
        customer_id,
        total: view.text(sumOf(uses)),
        active_days,
        last_seen_at: instantText(lastOf(uses)),
        trend,
        trend_detail,
        series: dates.map((day) => ({ day, value: view.text(total([day])) })),
      };
    }),
  };
}

/** Both windows without their last day: today is not over. */
export function growing(view: OracleView, { days, limit }: QuestionOf<"growing">): ComparedAnswer {
  const current = datesUntil(view.today, days).slice(0, -1);
  const previous = datesUntil(addDays(view.today, -days), days).slice(0, -1);
  return compared(view, "growing", days, limit, { current, previous });
}

/** Whole days up to today. */
export function dropping(view: OracleView, { days, limit }: QuestionOf<"dropping">): ComparedAnswer {
  const current = datesUntil(addDays(view.today, -1), days);
  const previous = datesUntil(addDays(view.today, -1 - days), days);
  return compared(view, "dropping", days, limit, { current, previous });
}

/** The days that were asked for, and after them the seven of silence and today. */
export function dormant(view: OracleView, { days, limit }: QuestionOf<"dormant">): DormantAnswer {
  const { now } = view;
  const dates = datesUntil(view.today, days + 8);
  const found = view.ranked(dates, Infinity).filter(({ uses }) => now - lastOf(uses) >= 7 * DAY_MS);
  return {
    report: "dormant",
    ...view.about(days, dates),
    rule: "No event for 7 days or more, and something was used before.",
    count: found.length,
    data: found.slice(0, limit).map(({ uses, ...row }, index) => ({
      ...row,
      rank: index + 1,
      total: view.text(sumOf(uses)),
      active_days: new Set(uses.map(({ date }) => date)).size,
      last_seen_at: instantText(lastOf(uses)),
      silent_days: Math.floor((now - lastOf(uses)) / DAY_MS),
    })),
  };
}

export function nearLimit(view: OracleView, { days, limit }: QuestionOf<"near-limit">): NearLimitAnswer {
  const { limits, names, metric } = view;
  const near = limits
    .map((one) => ({ ...one, used: sumOf(view.usage.since(one.customer_id, one.cycle.start)) }))
    .filter(({ used, allowance }) => used > 0n && used * 5n >= allowance * 4n)
    .toSorted((a, b) => bySize(a.used * b.allowance, b.used * a.allowance) || byText(a.customer_id, b.customer_id));
  return {
    report: "near-limit",
    ...view.about(days, [view.today]),
    rule: "80% or more of what the cycle has is used: its base, and what was carried or granted.",
    unanswered: 0,
    more: false,
    count: near.length,
    data: near.slice(0, limit).map(({ customer_id, balance_id, enforcement, used, allowance, cycle }, index) => ({
      rank: index + 1,
      customer_id,
      name: names.get(customer_id) ?? null,
      balance_id,
      product: null,
      label: null,
      enforcement,
      used: decimalText(used, metric.decimals),
      reserved: "0",
      allowance: decimalText(allowance, metric.decimals),
      // Cut off, so that nothing reads as if it had come further than it has.
      share: allowance === 0n ? null : decimalText((used * 10_000n) / allowance, 4),
      remaining: decimalText(used > allowance ? 0n : allowance - used, metric.decimals),
      cycle: { start: instantText(cycle.start), end: instantText(cycle.end) },
    })),
  };
}

function compared(
  view: OracleView,
  report: ComparedAnswer["report"],
  days: number,
  limit: number,
  { current, previous }: { readonly current: readonly string[]; readonly previous: readonly string[] },
): ComparedAnswer {
  const isUp = report === "growing";
  const found = view.usage.customers
    .map((customer_id) => ({
      customer_id,
      value: view.shown(sumOf(view.usage.of(customer_id, current))),
      previous: sumOf(view.usage.of(customer_id, previous)),
      last: lastOf(view.usage.of(customer_id, [...previous, ...current, view.today])),
    }))
    .filter(({ value, previous: base }) => base > 0n && (isUp ? value * 10n > base * 13n : value * 2n < base))
    .toSorted((a, b) => {
      const more = bySize(a.value * b.previous, b.value * a.previous);
      return (isUp ? more : -more) || bySize(a.previous, b.previous) || byText(a.customer_id, b.customer_id);
    });
  const [verb, percent] = isUp ? ["Up", 30] : ["Down", 50];
  return {
    report,
    ...view.about(days, current),
    previous_from: previous.at(0) ?? "",
    previous_to: previous.at(-1) ?? "",
    rule: `${verb} by more than ${percent}% on the equal period before, in which something was used.`,
    count: found.length,
    data: found.slice(0, limit).map(({ customer_id, value, previous: base, last }, index) => ({
      rank: index + 1,
      customer_id,
      name: view.names.get(customer_id) ?? null,
      value: view.text(value),
      previous: view.text(base),
      change: quotientText(value - base, base),
      last_seen_at: instantText(last),
    })),
  };
}
