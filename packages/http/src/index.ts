export * from "./app.ts";
export * from "./authenticate.ts";
export * from "./digest.ts";
export * from "./keys.ts";
export * from "./problem.ts";
export * from "./read-body.ts";
