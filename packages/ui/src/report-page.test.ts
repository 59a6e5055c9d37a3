import { gzipSync } from "node:zlib";
import type { ReportCell } from "@tidemark/contract/report-table";
import { expect, test } from "vitest";
import { ReportPage, type ReportPageProps } from "./report-page.tsx";
import { HOSTILE_NAMES, NOW, render, skeleton } from "./report-for-tests.ts";
import { cells, COLUMNS, table, timeTable } from "./table-for-tests.ts";

const links = { csv: "pub_1.csv?key=k", json: "pub_1.json?key=k" };

function page(over: Partial<ReportPageProps> = {}): Promise<string> {
  return render(ReportPage, { title: "Ready to upgrade", table: table(), now: NOW, links, ...over });
}

test("title, time, summary, table, rules and files are there", async () => {
  const html = await page();
  for (const part of [
    "<h1><bdi>Ready to upgrade</bdi></h1>",
    "As of 21 Nov 2026, 14:35 UTC",
    "Updated 1 min ago, refreshed when usage changes",
    "<p>20 customers grew; Customer 1 the most, by 50%.</p>",
    '<h2 id="table">Customers growing in API requests</h2>',
    "<li>Growing is more than 30% more than before.</li>",
    "<li>Days and hours are those of Europe/Berlin.</li>",
    '<a href="pub_1.csv?key=k">CSV</a>',
  ])
    expect(html).toContain(part);
  expect([...html.matchAll(/<a [^>]*href="([^"]*)"/g)].map(([, href]) => href)).toEqual([
    "#main",
    "pub_1.csv?key=k",
    "pub_1.json?key=k",
  ]);
});

test.for<readonly [string, number, string]>([
  ["a place", 0, '<td role="cell" class="rank" data-label="#"><span>1</span></td>'],
  [
    "a customer, the name over the id",
    1,
    '<th scope="row" role="rowheader" class="customer"><bdi title="Customer 1">Customer 1</bdi><small><bdi title="customer_1">customer_1</bdi></small></th>',
  ],
  [
    "a quantity, at a glance and exactly",
    2,
    '<td role="cell" class="number total" data-label="Used"><data value="17719999" title="17,719,999 requests">17.7M</data><small>17,719,999</small></td>',
  ],
  ["a count", 3, '<td role="cell" class="number" data-label="Active days"><span>1,234</span></td>'],
  [
    "a share, with a bar that only eyes see",
    4,
    '<data value="0.3427">34%</data><svg class="share-bar" aria-hidden="true"><rect class="track" width="100%" height="100%"></rect><rect class="bar" width="34.27%" height="100%"></rect></svg>',
  ],
  [
    "a change, with an arrow for eyes and a word for ears",
    5,
    '<data value="-0.051"><span class="arrow" aria-hidden="true">▼</span><span class="unseen">down </span>−5.1%</data>',
  ],
  ["an instant", 6, '<time datetime="2026-11-21T14:35:00.000Z" title="21 Nov 2026, 14:35 UTC">2 min ago</time>'],
  ["a trend with its rule", 7, '<summary title="Up 50%."><span class="trend trend-growing">'],
  [
    "hours as small bars, in words",
    8,
    'aria-label="Values from 00:00 to 23:00: highest 23 at 23:00, 1 of 24 hours without use"',
  ],
  ["a text", 9, '<td role="cell" class="text" data-label="Rhythm"><bdi>bursty</bdi></td>'],
])("%s is shown", async ([, index, markup]) => {
  expect(COLUMNS).toHaveLength(cells().length);
  expect((await page()).split('<tr role="row">')[2], String(index)).toContain(markup);
});

test("what there is nothing to say of is a dash, and read out as none", async () => {
  const rows = [COLUMNS.map((_, index): ReportCell => (index === 1 ? { customer_id: "acme", name: null } : null))];
  const html = await page({ table: table({ rows }) });
  expect(html).toContain('<bdi title="acme">acme</bdi></th>');
  expect(html.match(/<span aria-hidden="true">–<\/span><span class="unseen">none<\/span>/g)).toHaveLength(
    COLUMNS.length - 1,
  );
});

test.for(["0", "1.7", "-0.2"])("the bar of a share of %s stays within its line", async (share) => {
  const rows = [cells().with(4, share)];
  const width = /class="bar" width="([\d.]+)%"/.exec(await page({ table: table({ rows }) }))?.[1];
  expect(Number(width)).toBeGreaterThanOrEqual(0);
  expect(Number(width)).toBeLessThanOrEqual(100);
});

test("of rows about one customer only the first shows who it is, and each says it", async () => {
  const rows = [cells(), cells().with(9, "steady"), cells(2)];
  const html = await page({ table: table({ rows }) });
  expect(html.match(/<tr role="row" class="again">/g)).toHaveLength(1);
  expect(html.match(/<bdi title="Customer 1">/g)).toHaveLength(2);
});

test("of more than a hundred rows the first are shown, and the others are in the CSV", async () => {
  const rows = Array.from({ length: 10_000 }, (_, index) => cells(index + 1));
  const html = await page({ table: table({ rows }) });
  expect(html.match(/<tr role="row"/g)).toHaveLength(101);
  expect(html).toContain('<p class="more">9,900 more rows are in the CSV.</p>');
  expect(html.length).toBeLessThan(500_000);
  expect(await page({ table: table({ rows: rows.slice(0, 101) }) })).toContain("1 more row is in the CSV.");
  expect(await page({ table: table({ rows: rows.slice(0, 100) }) })).not.toContain("in the CSV");
});

test("an estimate is marked, and the mark explained", async () => {
  const html = await page({ table: table({ approximate: true }) });
  expect(html).toContain("≈ 17.7M");
  expect(html).toContain("<li>Figures marked ≈ are estimates.</li>");
  expect(await page()).not.toContain("≈");
});

test("a table without rows says what to do, and draws nothing", async () => {
  const html = await page({ table: table({ rows: [] }) });
  expect(html).toContain("Nobody grew that much. Ask for another period.");
  expect(html).not.toMatch(/<table|<figure/);
});

test("a table along time has columns for a chart, and its first column heads the rows", async () => {
  const html = await page({ table: timeTable() });
  expect(html).toContain('class="column-chart"');
  expect(html).toContain('<th scope="row" role="rowheader" class="text"><bdi>2026-11-21</bdi></th>');
});

test.for(HOSTILE_NAMES)("%j stays text wherever it stands", async (name) => {
  const shown = async (text: string): Promise<readonly string[]> => {
    const columns = COLUMNS.map((column) => ({ ...column, title: text, hint: text }));
    const rows = [cells(1, text, `${text} `).with(9, text), cells(2)];
    const words = { title: text, summary: text, notes: [text], time_zone: text };
    return skeleton(await page({ title: text, table: table({ ...words, columns, rows }) }));
  };
  expect(await shown(name)).toEqual(await shown("Acme"));
});

test("twenty rows of every kind of cell stay under 15 kB compressed", async () => {
  expect(gzipSync(await page()).length).toBeLessThan(15_000);
});
