/**
 * D1: the catalog, and what is derived from the meters. Time points are milliseconds, days are days
 * since 1970-01-01, quantities are whole numbers of the metric's smallest unit. Every table but
 * `projects` leads with `project_id`, and the hot one has no secondary index: each would be billed as
 * another row written.
 */
export * from "./schema/catalog.ts";
export * from "./schema/customers.ts";
export * from "./schema/usage.ts";
export * from "./schema/jobs.ts";
export * from "./schema/notices.ts";
export * from "./schema/sharing.ts";
export * from "./schema/requests.ts";
