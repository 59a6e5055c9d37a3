/** One line of the table that a run ends with. */
export interface Figure {
  readonly name: string;
  readonly ours: string;
  /** What ours is held against, or "" when the figure stands alone. */
  readonly rival: string;
  /** Ours in units of the rival's, or `undefined` when the figure stands alone. */
  readonly ratio?: number;
  /** `undefined`: reported, and nothing promised. */
  readonly goal?: Goal;
}

export interface Goal {
  readonly bound: "at least" | "at most";
  readonly limit: number;
  /** What is compared with the limit: the ratio, or ours as a number. */
  readonly value: number;
  /** The limit as people read it. */
  readonly text: string;
}

export interface RunOptions {
  /** Smaller and fewer: to see that everything runs, not to quote. */
  readonly quick: boolean;
  /** Ids for the memory curve. */
  readonly ids: number | undefined;
}

/** A benchmark prints what is worth seeing on the way, throws when a correctness gate fails, and returns its figures. */
export type Benchmark = (options: RunOptions) => Promise<readonly Figure[]>;

/** The goal that a ratio must reach. */
export function ratioGoal(ratio: number, limit: number): Goal {
  return { bound: "at least", limit, value: ratio, text: `≥ ${limit.toFixed(2)}` };
}

/** The goal that a number must not pass. */
export function ceilingGoal(value: number, limit: number, unit = ""): Goal {
  return { bound: "at most", limit, value, text: `≤ ${unit === "$" ? `$${limit}` : `${limit}${unit}`}` };
}

/** Whether the goal is met; `undefined` without one. */
export function isMet({ goal }: Figure): boolean | undefined {
  if (goal === undefined) return undefined;
  return goal.bound === "at least" ? goal.value >= goal.limit : goal.value <= goal.limit;
}
