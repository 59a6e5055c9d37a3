import chromium from "@sparticuz/chromium";
import axe from "axe-core";
import { type Browser, type Page, chromium as playwright } from "playwright-core";

/** A real browser, from the registry alone: nothing has to be installed on the machine. */
export async function openBrowser(): Promise<Browser> {
  // The package's own arguments are for one page in one process, and switch the web's security off.
  const args = ["--no-sandbox", "--disable-gpu", "--disable-quic"];
  return playwright.launch({ executablePath: await chromium.executablePath(), args, headless: true });
}

/** What axe finds wrong with a page: each rule with the first element that breaks it. */
export async function findAccessibilityFaults(
  page: Page,
): Promise<readonly (readonly [rule: string, element: string])[]> {
  // The pages' policy forbids scripts, so axe comes in by the debugger.
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>("axe.run()");
  return violations.map(({ id, nodes }) => [id, nodes[0]?.html ?? ""]);
}
