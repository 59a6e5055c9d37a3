import type { Trend } from "@tidemark/core/trend";
import { html } from "hono/html";
import type { FC } from "hono/jsx";
import type { TopCustomerRow, TopCustomersReport } from "./top-customers-report.ts";

/** The instant that pages in tests are rendered at. */
export const NOW = Date.UTC(2026, 10, 21, 14, 37);

const TRENDS: readonly Trend[] = ["steady", "growing", "check_in", "declining", "new", "dormant"];
const DAYS = Array.from({ length: 30 }, (_, index) =>
  new Date(NOW - (29 - index) * 86_400_000).toISOString().slice(0, 10),
);

/** A customer with thirty days of use; the last one is today. */
export function row(over: Partial<TopCustomerRow> = {}): TopCustomerRow {
  const rank = over.rank ?? 1;
  return {
    rank,
    customer_id: `customer_${rank}`,
    name: `Customer ${rank}`,
    total: String(18_420_000 - rank * 700_001),
    active_days: 30,
    last_seen_at: new Date(NOW - 2 * 60_000).toISOString(),
    trend: TRENDS[(rank - 1) % TRENDS.length] ?? "steady",
    trend_detail: { change: "0.0213", rule: "Up 2.1% on the equal period before; less than 30% is steady." },
    series: DAYS.map((day, index) => ({ day, value: String(580_000 + ((index * rank * 7919) % 90_000)) })),
    ...over,
  };
}

export function rows(count: number): readonly TopCustomerRow[] {
  return Array.from({ length: count }, (_, index) => row({ rank: index + 1 }));
}

export function report(over: Partial<TopCustomersReport> = {}): TopCustomersReport {
  return {
    name: "API requests",
    unit: "requests",
    aggregation: "count",
    days: 30,
    from: "2026-10-23",
    to: "2026-11-21",
    time_zone: "UTC",
    incomplete_day: "2026-11-21",
    as_of: new Date(NOW - 70_000).toISOString(),
    approximate: false,
    data: rows(20),
    ...over,
  };
}

/** Names that a page must survive as text. */
export const HOSTILE_NAMES: readonly string[] = [
  "<script>alert(1)</script>",
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  "javascript:alert(1)",
  "</title></style><!--",
  "&lt;b&gt;",
  "شركة الأفق للتقنية",
  "\u202Egnp.exe",
  "W".repeat(256),
  "👩🏽‍🚀🏳️‍🌈 Labs",
  "\n\t\u0000",
];

/** What a component renders to. */
export async function render<Props>(component: FC<Props>, props: NoInfer<Props>): Promise<string> {
  return (await html`${component(props)}`).toString();
}

/** A document's tags in order, without the values of their attributes: what a name must not be able to change. */
export function skeleton(document: string): readonly string[] {
  return (document.match(/<[^>]*>/g) ?? []).map((tag) => tag.replaceAll(/="[^"]*"/g, ""));
}
