import type { Benchmark } from "../figure.ts";
import { LoadGenerator } from "../harness/load-generator.ts";
import { compareUses } from "./compare-uses.ts";
import { compareLeases } from "./compare-leases.ts";
import { startSides } from "./sides.ts";

/** Decisions: against the floor of the platform, and against databases that a team would use instead. */
export const decisions: Benchmark = async ({ quick }) => {
  const sides = await startSides();
  const load = new LoadGenerator();
  try {
    const effort = quick ? { turns: 2, seconds: 0.5, customers: 100 } : { turns: 5, seconds: 2, customers: 1_000 };
    return [...(await compareUses(sides, load, effort)), ...(await compareLeases(sides, load, effort))];
  } finally {
    load.stop();
    await sides.stop();
  }
};
