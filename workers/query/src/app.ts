import { OpenAPIHono } from "@hono/zod-openapi";
import { addPlumbing } from "@tidemark/http/app";
import { listCustomers } from "./api/customers/list-customers.ts";
import { readCustomer } from "./api/customers/read-customer.ts";
import { readCustomerUsage } from "./api/customers/read-usage.ts";
import { updateCustomer } from "./api/customers/update-customer.ts";
import { getHealth } from "./api/get-health.ts";
import { createKey } from "./api/keys/create-key.ts";
import { listKeys } from "./api/keys/list-keys.ts";
import { revokeKey } from "./api/keys/revoke-key.ts";
import { createMetric } from "./api/metrics/create-metric.ts";
import { listMetrics } from "./api/metrics/list-metrics.ts";
import { readMetric } from "./api/metrics/read-metric.ts";
import { createPublication } from "./api/publications/create-publication.ts";
import { listPublications } from "./api/publications/list-publications.ts";
import { revokePublication } from "./api/publications/revoke-publication.ts";
import { rotatePublication } from "./api/publications/rotate-publication.ts";
import { listQuarantine } from "./api/quarantine/list-quarantine.ts";
import { replayQuarantined } from "./api/quarantine/replay-quarantined.ts";
import { getTopCustomers } from "./api/reports/get-top-customers.ts";
import { listReports } from "./api/reports/list-reports.ts";
import { getUsage } from "./api/usage/get-usage.ts";
import type { QueryApp, QueryAppEnv } from "./env.ts";
import { documentPages } from "./pages/documents.tsx";
import { publishedPage } from "./pages/published.tsx";
import { toProblem } from "./plumbing/issues.ts";
import { securityHeaders } from "./plumbing/security-headers.ts";

/** The read path: what metrics exist, who used how much, and who may see it. */
export const app: QueryApp = new OpenAPIHono<QueryAppEnv>({
  defaultHook: (result) => {
    if (!result.success) throw toProblem(result.error);
  },
});
addPlumbing(app);
app.use(securityHeaders);

const routes: readonly ((app: QueryApp) => void)[] = [
  createMetric,
  listMetrics,
  readMetric,
  getUsage,
  listCustomers,
  readCustomer,
  updateCustomer,
  readCustomerUsage,
  listReports,
  getTopCustomers,
  createPublication,
  listPublications,
  rotatePublication,
  revokePublication,
  createKey,
  listKeys,
  revokeKey,
  listQuarantine,
  replayQuarantined,
  getHealth,
  publishedPage,
  documentPages,
];
for (const route of routes) route(app);
