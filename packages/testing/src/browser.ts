import axe from "axe-core";
import { type Browser, type Page, chromium as playwright } from "playwright-core";

/** Where the package believes to run, which decides whether it unpacks the libraries that it brings. */
const BARE_MACHINE = "AWS_Lambda_nodejs22.x";

/** A real browser, from the registry alone: nothing has to be installed on the machine. */
export async function openBrowser(): Promise<Browser> {
  const { AWS_EXECUTION_ENV: place, LD_LIBRARY_PATH: libraries } = process.env;
  process.env["AWS_EXECUTION_ENV"] = BARE_MACHINE;
  const { default: chromium } = await import("@sparticuz/chromium");
  const executablePath = await chromium.executablePath();
  const env = { ...process.env };
  // The libraries are the browser's alone; whatever else the tests start keeps its own.
  restore("AWS_EXECUTION_ENV", place);
  restore("LD_LIBRARY_PATH", libraries);
  // The package's own arguments are for one page in one process, and switch the web's security off.
  const args = ["--no-sandbox", "--disable-gpu", "--disable-quic"];
  return playwright.launch({ executablePath, args, env, headless: true });
}

function restore(name: string, value: string | undefined): void {
  if (value === undefined) Reflect.deleteProperty(process.env, name);
  else process.env[name] = value;
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
