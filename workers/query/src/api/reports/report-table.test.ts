import type { ReportAnswer } from "@tidemark/contract/report-schema";
import { describe, expect, test } from "vitest";
import { reportCsv } from "./report-csv.ts";
import { toReportTable } from "./report-table.ts";

const ABOUT = {
  metric: "m",
  name: "API requests",
  unit: "requests",
  aggregation: "count",
  days: 30,
  from: "2026-10-23",
  to: "2026-11-21",
  time_zone: "UTC",
  as_of: "2026-11-21T15:30:00Z",
  approximate: false,
};
const RULE = { rule: "The rule." };
const ACME = { rank: 1, customer_id: "acme", name: "Acme" };
const SEEN = "2026-11-20T10:00:00Z";
const COMPARED = { ...ABOUT, ...RULE, previous_from: "2026-09-23", previous_to: "2026-10-21" };
const NEAR = { ...ABOUT, ...RULE, unanswered: 0, more: false };
const BALANCE = {
  ...ACME,
  balance_id: "alw_1",
  product: null,
  label: null,
  enforcement: "hard" as const,
  used: "95",
  reserved: "1",
  allowance: "100",
  share: "0.95",
  remaining: "4",
  cycle: { start: "2026-11-01T00:00:00Z", end: "2026-12-01T00:00:00Z" },
};
const HOURS = Array.from({ length: 24 }, (_, hour) => (hour === 9 ? "7" : "0"));

const ANSWERS: readonly (readonly [ReportAnswer, string])[] = [
  [
    {
      report: "top-customers",
      ...ABOUT,
      incomplete_day: "2026-11-21",
      data: [
        {
          ...ACME,
          total: "7",
          active_days: 1,
          last_seen_at: SEEN,
          trend: "check_in",
          trend_detail: { change: null, rule: "Why." },
          series: [{ day: "2026-11-21", value: "7" }],
        },
      ],
    },
    "1 customer, 2026-10-23 to 2026-11-21; Acme used the most, 7 requests.",
  ],
  [
    {
      report: "growing",
      ...COMPARED,
      count: 3,
      data: [{ ...ACME, value: "20", previous: "8", change: "1.5", last_seen_at: SEEN }],
    },
    "3 customers grew by more than 30%, 2026-10-23 to 2026-11-21 against 2026-09-23 to 2026-10-21; Acme the most, by 150%.",
  ],
  [
    {
      report: "dropping",
      ...COMPARED,
      count: 1,
      data: [{ ...ACME, value: null, previous: "8", change: "-0.6125", last_seen_at: SEEN }],
    },
    "1 customer dropped by more than 50%, 2026-10-23 to 2026-11-21 against 2026-09-23 to 2026-10-21; Acme the most, by 61.25%.",
  ],
  [
    {
      report: "dormant",
      ...ABOUT,
      ...RULE,
      count: 2,
      data: [{ ...ACME, total: "7", active_days: 2, last_seen_at: SEEN, silent_days: 9 }],
    },
    "2 customers have gone silent since 2026-10-23; Acme used the most before.",
  ],
  [
    { report: "near-limit", ...NEAR, count: 1, data: [BALANCE] },
    "1 customer is near the limit; Acme the most, with 95% used.",
  ],
  [
    {
      report: "near-limit",
      ...NEAR,
      unanswered: 1,
      more: true,
      count: 9,
      data: [{ ...BALANCE, label: "eu", share: null }],
    },
    "9 balances are near a limit.",
  ],
  [
    {
      report: "heavy-labels",
      ...ABOUT,
      ...RULE,
      label: "route",
      data: [
        {
          ...ACME,
          total: "8",
          labels: [
            { label: "/v1/chat", value: "5", share: "0.625" },
            { label: "", value: "3", share: "0.375" },
          ],
        },
      ],
    },
    "route /v1/chat is 62.5% of what Acme used, 2026-10-23 to 2026-11-21.",
  ],
  [
    {
      report: "hour-of-day",
      ...ABOUT,
      ...RULE,
      data: [
        { ...ACME, total: "7", hours: HOURS, peak_hour: 9, peak_share: "1", busiest_share: "1", rhythm: "bursty" },
        {
          ...ACME,
          total: "0",
          hours: HOURS.map(() => "0"),
          peak_hour: null,
          peak_share: null,
          busiest_share: null,
          rhythm: null,
        },
      ],
    },
    "Of the top 2 customers, 1 uses it in bursts, 2026-10-23 to 2026-11-21.",
  ],
  [
    {
      report: "error-rate",
      ...ABOUT,
      ...RULE,
      data: [
        { ...ACME, total: "100", errors_4xx: "1", errors_5xx: "0", rate: "0.01" },
        { rank: 2, customer_id: "umbrella", name: null, total: "90", errors_4xx: "9", errors_5xx: "9", rate: "0.2" },
      ],
    },
    "Of the top 2, umbrella has the most errors: 20%, 2026-10-23 to 2026-11-21.",
  ],
];

describe("a report as people read it", () => {
  test.each(ANSWERS.map(([answer, summary]) => [answer.report, answer, summary] as const))(
    "%s has a cell for each column, bars of a figure, and says what it shows",
    (_, answer, summary) => {
      const table = toReportTable(answer);
      expect(table.summary).toBe(summary);
      expect(table).toMatchObject({ as_of: ABOUT.as_of, time_zone: "UTC", approximate: false });
      expect(table.title).toContain("API requests");
      expect(new Set(table.columns.map(({ key }) => key)).size).toBe(table.columns.length);
      for (const row of table.rows) expect(row).toHaveLength(table.columns.length);
      if (table.chart !== null) {
        expect(table.columns[table.chart.label]?.kind).toBe("customer");
        expect(table.columns[table.chart.value]?.kind).toMatch(/^(?:quantity|share)$/);
      }
      const lines = reportCsv(table).trimEnd().split("\r\n");
      const widths = lines.map((line) => line.split(",").length);
      expect(new Set(widths).size).toBe(1);
      expect(lines).toHaveLength(table.rows.length + 1);
    },
  );

  test.each(ANSWERS.map(([answer]) => [answer.report, answer] as const))(
    "%s without rows says what to do",
    (_, answer) => {
      const table = toReportTable({ ...answer, data: [] });
      expect(table.rows).toEqual([]);
      expect(table.empty).toMatch(/\.$/);
      expect(table.summary).toMatch(/\.$/);
      expect(table.notes.length).toBeGreaterThan(0);
    },
  );

  test("near a limit, it says what it may lack", () => {
    const { notes } = toReportTable({ report: "near-limit", ...NEAR, unanswered: 2, more: true, count: 0, data: [] });
    expect(notes.join(" ")).toMatch(/2 meters did not answer.*more customers/);
  });
});
