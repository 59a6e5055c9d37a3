/** The project that everything is counted for; the name is shared with the Workers under measurement. */
export const PROJECT_ID = "bench";

/** Of the reference workload's metrics the one that decisions are about. */
export const DECIDED_METRIC = { id: "m-calls", slug: "calls" } as const;
