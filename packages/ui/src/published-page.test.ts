import { gzipSync } from "node:zlib";
import { TREND_RULES, TREND_RULES_VERSION, type Trend } from "@tidemark/core/trend";
import fc from "fast-check";
import { expect, test } from "vitest";
import { PublishedPage, type PublishedPageProps } from "./published-page.tsx";
import { HOSTILE_NAMES, NOW, render, report, row, rows, skeleton } from "./report-for-tests.ts";

const links = { csv: "pub_1.csv?key=k&days=30", json: "pub_1.json?key=k&days=30" };

function page(over: Partial<PublishedPageProps> = {}): Promise<string> {
  return render(PublishedPage, { title: "Top 20 API customers", report: report(), now: NOW, links, ...over });
}

test.for<readonly [Trend, string]>([
  ["new", '<span aria-hidden="true">◆</span> new'],
  ["dormant", '<span aria-hidden="true">★★</span> dormant'],
  ["check_in", '<span aria-hidden="true">★</span> check in'],
  ["growing", '<span aria-hidden="true">▲</span> growing'],
  ["declining", '<span aria-hidden="true">▼</span> declining'],
  ["steady", '<span aria-hidden="true">●</span> steady'],
])("%s is told by an icon and a word", async ([trend, markup]) => {
  const html = await page({ report: report({ data: [row({ trend })] }) });
  expect(html).toContain(`<span class="trend trend-${trend}">${markup}</span>`);
});

test("a trend opens to the rule that decided, and shows it on hover", async () => {
  const rule = "No event for 12 days; 7 days of silence are dormant.";
  const html = await page({
    report: report({ data: [row({ trend: "dormant", trend_detail: { change: null, rule } })] }),
  });
  expect(html).toContain(`<summary title="${rule}">`);
  expect(html).toContain(`</summary><p>${rule}</p></details>`);
});

test("a total is readable at a glance and to the last digit", async () => {
  const html = await page({ report: report({ data: [row({ total: "9223372036854775807.5" })] }) });
  expect(html).toContain(
    '<data value="9223372036854775807.5" title="9,223,372,036,854,775,807.5 requests">9,223,372T</data>',
  );
  expect(html).toContain("<small>9,223,372,036,854,775,807.5</small>");
});

test("an estimate is marked, and is not shown to the last digit", async () => {
  const html = await page({ report: report({ approximate: true, data: [row({ total: "123456" })] }) });
  expect(html).toContain('<data value="123456" title="≈ 123,456 requests">≈ 123K</data>');
  expect(html).not.toContain("<small>123,456</small>");
  expect(await page()).not.toContain("≈");
});

test("totals that do not add up are neither added nor shown as shares", async () => {
  const html = await page({
    report: report({ aggregation: "max", data: [row({ total: "50" }), row({ total: "40" })] }),
  });
  expect(html).toContain('Highest API requests, 30 days</dt><dd><data value="50"');
  expect(html).not.toContain("Who uses how much");
  expect(html).not.toContain('value="90"');
});

test("the last call is relative, with the exact time for programs and on hover", async () => {
  expect(await page()).toContain(
    '<time datetime="2026-11-21T14:35:00.000Z" title="21 Nov 2026, 14:35 UTC">2 min ago</time>',
  );
});

test("the column's title names the metric, its unit and the days", async () => {
  expect(await page()).toContain("API requests <small>requests, 30 days</small>");
});

test("a day that is not over is hatched, and no other", async () => {
  expect((await page()).match(/class="hatched"/g)).toHaveLength(20);
  expect(await page({ report: report({ incomplete_day: null }) })).not.toContain('class="hatched"');
});

test("the page leads to its own figures and nowhere else", async () => {
  const hrefs = [...(await page()).matchAll(/<a [^>]*href="([^"]*)"/g)].map(([, href]) => href);
  expect(hrefs).toEqual(["#main", "pub_1.csv?key=k&amp;days=30", "pub_1.json?key=k&amp;days=30"]);
});

test("the rules and their version are printed under the table", async () => {
  const html = await page();
  for (const { when } of TREND_RULES) expect(html).toContain(`<dd>${when}</dd>`);
  expect(html).toContain(`Rules version ${TREND_RULES_VERSION}.`);
});

test("of more than a hundred customers the first are shown, and the others are in the CSV", async () => {
  const html = await page({ report: report({ data: rows(500) }) });
  expect(html.match(/<td role="cell" class="rank">/g)).toHaveLength(100);
  expect(html).toContain('<p class="more">400 more customers are in the CSV.</p>');
  expect(html).toContain("<dt>Customers ranked</dt><dd>500");
  expect(html.length).toBeLessThan(500_000);
  expect(await page()).not.toContain("in the CSV");
});

test("a report without customers says what it waits for and draws nothing", async () => {
  const html = await page({ report: report({ data: [] }) });
  expect(html).toContain("No API requests in this period yet.");
  expect(html).not.toMatch(/<table|<figure|<dl/);
});

test("there is a chart when there is something to compare", async () => {
  const negative = [row({ total: "-5" }), row({ rank: 2, total: "5" })];
  expect(await page()).toContain("<figure");
  expect(await page({ report: report({ data: rows(1) }) })).not.toContain("<figure");
  expect(await page({ report: report({ data: negative }) })).not.toContain("<figure");
});

test("figures from another day are announced as old", async () => {
  expect(await page()).toContain("<span>Updated 1 min ago, refreshed when usage changes</span>");
  const old = await page({ report: report({ as_of: new Date(NOW - 4 * 86_400_000).toISOString() }) });
  expect(old).toContain('<p class="freshness old">');
  expect(old).toContain("<span>These figures are 4 days old</span>");
});

test("theme and embedding are set on the document", async () => {
  expect(await page({ theme: "dark", embed: true })).toContain('<html lang="en" data-theme="dark" class="embed">');
  expect(await page()).toContain('<html lang="en" data-theme="auto">');
});

test.for(HOSTILE_NAMES)("%j stays text wherever it stands", async (name) => {
  const harmless = await page({
    report: report({ data: [row({ name: "Acme", customer_id: "acme" }), row({ rank: 2 })] }),
  });
  const hostile = await page({
    title: name,
    report: report({
      name,
      unit: name,
      data: [row({ name, customer_id: `${name} `, trend_detail: { change: "0.1", rule: name } }), row({ rank: 2 })],
    }),
  });
  expect(skeleton(hostile)).toEqual(skeleton(harmless));
});

test("no text at all can change the markup", async () => {
  const harmless = skeleton(await page({ report: report({ data: [row(), row({ rank: 2 })] }) }));
  const parts = ["<", ">", '"', "'", "&", "=", "/", " ", "!--", "]]", "a", ";", "#x3c", "script", "onload"];
  const text = fc.string({ unit: fc.constantFrom(...parts), maxLength: 40 });
  await fc.assert(
    fc.asyncProperty(text, async (name) => {
      const html = await page({
        title: name,
        report: report({ data: [row({ name, customer_id: `${name}.` }), row({ rank: 2 })] }),
      });
      expect(skeleton(html)).toEqual(harmless);
    }),
    { numRuns: 50 },
  );
});

test("a customer without a name is shown once, by id", async () => {
  const html = await page({ report: report({ data: [row({ name: null, customer_id: "cyberdyne" })] }) });
  expect(html).toContain('<bdi title="cyberdyne">cyberdyne</bdi></th>');
});

test("twenty customers over thirty days stay under 15 kB compressed", async () => {
  expect(gzipSync(await page()).length).toBeLessThan(15_000);
});
