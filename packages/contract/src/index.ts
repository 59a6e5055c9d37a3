export type * from "./decision.ts";
export * from "./jobs.ts";
export * from "./limits.ts";
export * from "./messages.ts";
export * from "./meter.ts";
export * from "./problems.ts";
export type * from "./quota.ts";
