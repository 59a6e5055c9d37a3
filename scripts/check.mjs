// Everything that is checked without running the product, side by side: `npm run check`, or with the names
// of some parts, such as `npm run check lint types`. A part prints when it ends, so the parts do not mix.

import { spawn } from "node:child_process";

const PARTS = {
  format: ["oxfmt", "--check"],
  types: ["tsc", "-b"],
  lint: ["oxlint"],
  unused: ["knip", "--no-progress"],
  documents: ["node", "scripts/check-documents.mjs"],
};

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(PARTS);
const unknown = names.filter((name) => !(name in PARTS));
if (unknown.length > 0) {
  console.error(`There is no part ${unknown.join(", ")}: it is ${Object.keys(PARTS).join(", ")}.`);
  process.exit(2);
}
const failed = (await Promise.all(names.map(check))).filter((name) => name !== null);
console.log(failed.length === 0 ? `\nAll is well: ${names.join(", ")}.` : `\nNot well: ${failed.join(", ")}.`);
process.exitCode = failed.length === 0 ? 0 : 1;

/** The part's name when it failed. */
async function check(name) {
  const startedAt = performance.now();
  const { code, output } = await run(PARTS[name]);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  console.log(`${code === 0 ? "ok  " : "FAIL"} ${name} (${seconds} s)`);
  if (code === 0) return null;
  console.log(output);
  return name;
}

function run([command, ...args]) {
  const { promise, resolve } = Promise.withResolvers();
  let output = "";
  const keep = (text) => (output += text);
  const child = spawn(command, args, { shell: process.platform === "win32" });
  child.stdout.setEncoding("utf8").on("data", keep);
  child.stderr.setEncoding("utf8").on("data", keep);
  child.on("error", (error) => resolve({ code: 1, output: String(error) }));
  child.on("close", (code) => resolve({ code, output }));
  return promise;
}
