import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { HOSTILE_NAMES, NOW, render, skeleton } from "../report-for-tests.ts";
import { toTableChart } from "../table-chart.ts";
import { cells, table, timeTable } from "../table-for-tests.ts";
import { CHART_IMAGE_STYLE, CHART_IMAGE_STYLE_SOURCE, ChartImage } from "./chart-image.tsx";

async function image(from = table(), title = "Top customers", theme: "light" | "auto" = "auto"): Promise<string> {
  const chart = toTableChart(from);
  if (chart === undefined) throw new Error("no chart");
  return render(ChartImage, { title, chart, asOf: NOW, theme });
}

test("it names itself and says what it shows", async () => {
  const svg = await image();
  expect(svg).toMatch(
    /^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" class="auto" [^>]*role="img" aria-labelledby="title desc">/,
  );
  expect(svg).toContain('<title id="title">Top customers</title><desc id="desc">Used by customer: ');
  expect(svg).toContain("As of 21 Nov 2026, 14:37 UTC. Counted by Tidemark.");
});

test.for([table(), timeTable()])("it fetches nothing, runs nothing and is well-formed", async (from) => {
  const svg = await image(from);
  expect(svg).not.toMatch(/<script|href|url\(|@import|@font-face| on[a-z]+=/);
  const open: string[] = [];
  for (const [, end, name = "", self] of svg.matchAll(/<(\/?)([a-z]+)[^>]*?(\/?)>/g)) {
    if (end === "/") expect(open.pop()).toBe(name);
    else if (self !== "/") open.push(name);
  }
  expect(open).toEqual([]);
});

test("its style is what the policy allows, and has nothing that markup would change", () => {
  const digest = createHash("sha256").update(CHART_IMAGE_STYLE).digest("base64");
  expect(CHART_IMAGE_STYLE_SOURCE).toBe(`'sha256-${digest}'`);
  expect(CHART_IMAGE_STYLE).not.toMatch(/[&<>"']/);
});

test("its colours follow the reader's system, or what the address says", async () => {
  expect(CHART_IMAGE_STYLE).toContain("@media(prefers-color-scheme:dark){.auto,");
  expect(await image(table(), "T", "light")).toContain('class="light"');
});

test("what hangs below zero is drawn from zero on", async () => {
  const rows = [cells().with(5, "1"), cells(2).with(5, "-1")];
  const svg = await image(table({ rows, chart: { label: 1, value: 5 } }));
  expect([...svg.matchAll(/x="([\d.]+%)" width="([\d.]+%)"/g)].map(([, x, width]) => [x, width])).toEqual([
    ["50%", "50%"],
    ["0%", "50%"],
  ]);
});

test.for(HOSTILE_NAMES)("%j stays text", async (name) => {
  const shown = async (text: string): Promise<readonly string[]> =>
    skeleton(await image(table({ rows: [cells(1, text), cells(2)] }), text));
  expect(await shown(name)).toEqual(await shown("Acme"));
});
