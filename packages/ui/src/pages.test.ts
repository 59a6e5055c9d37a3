import { PROBLEM_KINDS } from "@tidemark/contract/problems";
import { expect, test } from "vitest";
import { HomePage } from "./home-page.tsx";
import { FailedTooOftenPage, MessagePage, PublicationGonePage, PublicationNotFoundPage } from "./message-page.tsx";
import { ProblemListPage, ProblemPage } from "./problem-pages.tsx";
import { PublishedPage } from "./published-page.tsx";
import { ReferencePage } from "./reference-page.tsx";
import { ReportPage } from "./report-page.tsx";
import { HOSTILE_NAMES, NOW, render, report, skeleton } from "./report-for-tests.ts";
import { STYLESHEET_HREF } from "./styles.ts";
import { table } from "./table-for-tests.ts";

const origin = "https://meter.example.com";
const pages = {
  home: render(HomePage, { origin }),
  message: render(MessagePage, {
    title: "Gone",
    meaning: "It was here.",
    remedy: "Look elsewhere.",
    requestId: "req_1",
  }),
  publicationNotFound: render(PublicationNotFoundPage, {}),
  problem: render(ProblemPage, { code: "too_large", kind: PROBLEM_KINDS.too_large }),
  problems: render(ProblemListPage, { kinds: PROBLEM_KINDS }),
  published: render(PublishedPage, {
    title: "Top",
    report: report(),
    now: NOW,
    links: { csv: "a.csv", json: "a.json" },
  }),
  report: render(ReportPage, {
    title: "Growing",
    table: table(),
    now: NOW,
    links: { csv: "a.csv", json: "a.json" },
  }),
  gone: render(PublicationGonePage, { hindrance: "changed" }),
  failedTooOften: render(FailedTooOftenPage, { seconds: 60 }),
  reference: render(ReferencePage, { document: { info: { title: "Tidemark", version: "1" } } }),
};

test.for(Object.entries(pages))("%s is a complete document with one stylesheet", async ([, page]) => {
  const html = await page;
  expect(html).toMatch(/^<!DOCTYPE html><html lang="en"/);
  expect(html).toContain('<meta name="viewport" content="width=device-width, initial-scale=1"/>');
  expect(html).toContain('<meta name="color-scheme" content="light dark"/>');
  expect(html.match(/<title>/g)).toHaveLength(1);
  expect(html.match(/rel="stylesheet"/g)).toHaveLength(1);
  expect(html).toContain(`<link rel="stylesheet" href="${STYLESHEET_HREF}"/>`);
  expect(html.match(/<h1>/g)).toHaveLength(1);
});

test.for(Object.entries(pages))("%s needs neither script nor inline style", async ([, page]) => {
  for (const tag of skeleton(await page)) {
    expect(tag).not.toMatch(/^<(script|style|iframe|img)\b| style\b| on[a-z]+\b/);
  }
});

test.for(Object.entries(pages))("%s lets a keyboard skip to its content", async ([, page]) => {
  const html = await page;
  expect(html.indexOf('<a class="skip" href="#main">')).toBeLessThan(html.indexOf('<main id="main" tabindex="-1"'));
});

test("the start page shows commands against its own origin, with the key from the environment", async () => {
  const html = await pages.home;
  expect(html.match(new RegExp(`curl &#39;?${origin}|curl ${origin}`, "g"))).toHaveLength(3);
  expect(html.match(/Bearer \$TIDEMARK_KEY/g)).toHaveLength(3);
  for (const href of ["/docs", "/openapi.json", "/docs/errors"]) expect(html).toContain(`<a href="${href}">`);
});

test("every problem has its page, and the list leads to each", async () => {
  const list = await pages.problems;
  for (const [code, kind] of Object.entries(PROBLEM_KINDS)) {
    expect(list).toContain(`<a href="/docs/errors/${code}"><code>${code}</code></a>`);
    expect(list).toContain(`<td class="number">${kind.status}</td>`);
  }
  const page = await pages.problem;
  expect(page).toContain('<p class="status">413 <code>too_large</code></p>');
  expect(page).toContain("<h1>The body is too large</h1>");
  expect(page).toContain(PROBLEM_KINDS.too_large.remedy);
});

test("what stands between backticks is shown as code", async () => {
  expect(await render(ProblemPage, { code: "missing_key", kind: PROBLEM_KINDS.missing_key })).toContain(
    "<p>Send <code>Authorization: Bearer &lt;key&gt;</code>.</p>",
  );
});

test.for(HOSTILE_NAMES.filter((name) => name.trim() !== ""))("%j stays text in a message", async (text) => {
  const message = async (words: string): Promise<readonly string[]> =>
    skeleton(await render(MessagePage, { title: words, code: words, meaning: words, remedy: words, requestId: words }));
  expect(await message(text)).toEqual(await message("harmless"));
});
