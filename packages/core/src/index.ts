export * from "./event.ts";
export * from "./exact.ts";
export * from "./fingerprint.ts";
export * from "./metric.ts";
export * from "./timestamp.ts";
export * from "./usage-day.ts";
