// Documents rot where they name what has moved. Fails when a Markdown file names a path of this repository
// (in backticks) or a script of package.json (in backticks or in a block of commands) that does not exist,
// and when a relative link, or its anchor, leads nowhere.

import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";

const ROOT = join(import.meta.dirname, "..");
const NOT_OURS = new Set(["node_modules", "dist", ".git", ".cache", ".tidemark", ".wrangler"]);

const FENCE = /^\s*(?:```|~~~)/;
const COMMENT = /(?:^|\s)#.*$/;
const SPAN = /`([^`]+)`/g;
const LINK = /\]\(<?([^)\s>]+)>?[^)]*\)|^\[[^\]]+\]:\s+(\S+)|\b(?:src|href)="([^"]+)"/g;
const PATH = /^(?:packages|workers|docs|bench|migrations|examples|scripts)\/[^\s:#]*/;
// `docs/decisions/NNNN-title.md` or `workers/<name>` tell a pattern, not a file.
const PLACEHOLDER = /[<>{}…]|NNN/;
const SCRIPT = /\b(pnpm|npm) (run )?([a-z][\w:-]*)/g;
// What npm and pnpm do by themselves. `npm start` and `npm test` are not here: they run scripts.
const BUILT_IN = new Set(
  "add audit ci config create dlx exec help init install i link list ls outdated pack publish remove run uninstall update version view why".split(
    " ",
  ),
);

const scripts = readScripts();
const problems = list("**/*.md").flatMap(checkDocument);
for (const problem of problems) console.error(problem);
process.exitCode = problems.length > 0 ? 1 : 0;

function checkDocument(path) {
  const found = [];
  let inBlock = false;
  for (const [index, line] of readLines(path).entries()) {
    const fence = FENCE.test(line);
    if (fence) inBlock = !inBlock;
    const faults = inBlock && !fence ? scriptFaults(line.replace(COMMENT, "")) : lineFaults(path, line);
    found.push(...faults.map((fault) => `${path}:${index + 1}: ${fault}`));
  }
  return found;
}

function lineFaults(path, line) {
  const spans = [...line.matchAll(SPAN)].flatMap(([, code]) => [...pathFaults(code), ...scriptFaults(code)]);
  const links = [...line.replaceAll(SPAN, "").matchAll(LINK)];
  return [...spans, ...links.flatMap(([, inline, reference, html]) => linkFaults(path, inline ?? reference ?? html))];
}

function pathFaults(code) {
  const path = PATH.exec(code)?.[0];
  if (path === undefined || PLACEHOLDER.test(code)) return [];
  const exists = path.includes("*") ? list(path).length > 0 : existsSync(join(ROOT, path));
  return exists ? [] : [`there is no ${path}`];
}

function scriptFaults(code) {
  return [...code.matchAll(SCRIPT)]
    .filter(([, , run, name]) => !scripts.has(name) && (run !== undefined || !BUILT_IN.has(name)))
    .map(([command, , , name]) => `\`${command}\`: no package.json has a script ${name}`);
}

function linkFaults(from, link) {
  if (/^[a-z][a-z+.-]*:|^\/\//i.test(link)) return [];
  const [target, anchor] = decodeURI(link).split("#");
  const base = target.startsWith("/") ? ROOT : join(ROOT, dirname(from));
  const path = target === "" ? join(ROOT, from) : join(base, target);
  if (!existsSync(path)) return [`dead link ${link}`];
  if (anchor === undefined || !path.endsWith(".md") || anchorsOf(path).has(anchor)) return [];
  return [`dead anchor ${link}`];
}

/** The anchors that GitHub makes of headings: lower case, no punctuation, a number when one repeats. */
function anchorsOf(file) {
  const seen = new Map();
  const headings = readFileSync(file, "utf8").matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm);
  for (const [, heading] of headings) {
    const slug = heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(/\s/g, "-");
    const count = seen.get(slug) ?? 0;
    seen.set(slug, count + 1);
    if (count > 0) seen.set(`${slug}-${count}`, 1);
  }
  return seen;
}

function readScripts() {
  const names = ["package.json", ...list("{packages,workers}/*/package.json"), ...list("bench/package.json")].flatMap(
    (path) => Object.keys(JSON.parse(readFileSync(join(ROOT, path), "utf8")).scripts ?? {}),
  );
  return new Set(names);
}

function readLines(path) {
  return readFileSync(join(ROOT, path), "utf8").split("\n");
}

function list(pattern) {
  const exclude = (path) => NOT_OURS.has(path.split("/").at(-1));
  return globSync(pattern, { cwd: ROOT, exclude }).toSorted();
}
