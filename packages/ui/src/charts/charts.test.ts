import { expect, test } from "vitest";
import { render, report, row, rows } from "../report-for-tests.ts";
import { summarize, toBars } from "../top-customers-summary.ts";
import { BarChart } from "./bar-chart.tsx";
import { MiniBars } from "./mini-bars.tsx";

const series = [
  { label: "2026-11-18", value: "0" },
  { label: "2026-11-19", value: "1000000" },
  { label: "2026-11-20", value: "1" },
  { label: "2026-11-21", value: "250000" },
];

test("mini bars say in words what they draw", async () => {
  expect(await render(MiniBars, { series, incomplete: "2026-11-21" })).toContain(
    'aria-label="Daily values from 18 Nov to 20 Nov: highest 1M on 19 Nov, 1 of 3 days without use, 250K so far on 21 Nov"',
  );
});

test("a day with little use shows, and a day with none does not", async () => {
  const [, bars = ""] =
    /class="bar" d="([^"]*)"/.exec(await render(MiniBars, { series, incomplete: "2026-11-21" })) ?? [];
  expect(bars.split("z").filter((bar) => bar !== "")).toEqual(["M30 28v-28h22.8v28", "M60 28v-1h22.8v1"]);
});

test("bars below zero hang from the line", async () => {
  const down = [
    { label: "2026-11-20", value: "-50" },
    { label: "2026-11-21", value: "50" },
  ];
  expect(await render(MiniBars, { series: down, incomplete: null })).toContain("M0 14v14h45.6v-14z");
});

test("a series of zeros or of nothing is drawn without a bar", async () => {
  for (const quiet of [[], [{ label: "2026-11-20", value: "0" }]]) {
    expect(await render(MiniBars, { series: quiet, incomplete: null })).toContain('class="bar" d=""');
  }
});

test("the chart's axis ends on a round number at or above the longest bar", async () => {
  const html = await render(BarChart, {
    title: "T",
    summary: "S",
    whole: "27",
    bars: [
      { label: "a", value: "18.4" },
      { label: "b", value: "8.6" },
    ],
  });
  const labels = [...html.matchAll(/<text[^>]*>([^<]*)</g)].map(([, label]) => label);
  expect(labels).toEqual(["0", "5", "10", "15", "20"]);
  expect(html).toContain('width="92%"');
});

test("after eight customers the others share one bar, and nothing is lost", () => {
  const bars = toBars(report());
  expect(bars.map(({ label }) => label).at(-1)).toBe("12 others");
  expect(bars).toHaveLength(9);
  expect(bars.reduce((sum, bar) => sum + Number(bar.value), 0)).toBe(
    report().data.reduce((sum, { total }) => sum + Number(total), 0),
  );
  expect(toBars(report({ data: rows(9) }))).toHaveLength(9);
});

test.for([
  [[], "Nobody used API requests in 30 days."],
  [[row({ total: "1200000" })], "\u2068Customer 1\u2069 used 1.2M requests in 30 days."],
  [
    [row({ total: "75" }), row({ rank: 2, total: "25" })],
    "\u2068Customer 1\u2069 accounts for 75% of the 100 requests in 30 days of these 2 customers.",
  ],
  [
    [row({ total: "40" }), row({ rank: 2, total: "30" }), row({ rank: 3, total: "20" }), row({ rank: 4, total: "10" })],
    "\u2068Customer 1\u2069 accounts for 40% of the 100 requests in 30 days of these 4 customers; the largest three for 90%.",
  ],
] as const)("the summary says in one sentence who uses how much: %#", ([customers, sentence]) => {
  expect(summarize(report({ data: customers }))).toBe(sentence);
});

test("a long name is cut between characters as people see them", () => {
  const [name = ""] = summarize(report({ data: [row({ name: "👩🏽‍🚀".repeat(100) })] })).split("\u2069");
  expect(name).toBe(`\u2068${"👩🏽‍🚀".repeat(59)}…`);
});
