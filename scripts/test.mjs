// Runs every test, or those that the options of `vitest run` select, and ends with one line that sums them up.

import { parseCLI, startVitest } from "vitest/node";

const { filter, options } = parseCLI(["vitest", "run", ...process.argv.slice(2)]);
const vitest = await startVitest(filter, options);

const counts = { passed: 0, failed: vitest.state.getUnhandledErrors().length, skipped: 0, pending: 0 };
for (const file of vitest.state.getTestModules()) {
  // A file that cannot be loaded, or whose hooks throw, has no failed test to be counted by.
  counts.failed += errorsOutsideTests(file);
  for (const test of file.children.allTests()) counts[test.result().state] += 1;
}
await vitest.close();

const { passed, failed, pending } = counts;
// A pending test was never reached: the run broke off before it.
const broken = failed + pending;
const skipped = counts.skipped > 0 ? `, ${counts.skipped} skipped` : "";
if (passed + broken === 0) console.error("No test ran.");
console.log(`${passed} passed, ${broken} failed${skipped}`);
// A server that a test forgot must not keep the run alive.
process.exit(broken > 0 || passed === 0 ? 1 : 0);

function errorsOutsideTests(file) {
  let errors = file.errors().length;
  for (const suite of file.children.allSuites()) errors += suite.errors().length;
  return errors;
}
