import { OpenAPIHono } from "@hono/zod-openapi";
import { addPlumbing } from "@tidemark/http/app";
import { deleteAllowance } from "./api/allowances/delete-allowance.ts";
import { postAllowance } from "./api/allowances/post-allowance.ts";
import { listAllowances, readAllowance } from "./api/allowances/read-allowances.ts";
import { updateAllowance } from "./api/allowances/update-allowance.ts";
import { readBalances } from "./api/balances/read-balances.ts";
import { listCustomers } from "./api/customers/list-customers.ts";
import { readCustomer } from "./api/customers/read-customer.ts";
import { readCustomerUsage } from "./api/customers/read-usage.ts";
import { updateCustomer } from "./api/customers/update-customer.ts";
import { listDeliveries, readDelivery } from "./api/deliveries/read-deliveries.ts";
import { resendDelivery } from "./api/deliveries/resend-delivery.ts";
import { createDestination } from "./api/destinations/create-destination.ts";
import { deleteDestination } from "./api/destinations/delete-destination.ts";
import { listDestinations, readDestination } from "./api/destinations/read-destinations.ts";
import { rotateSecret } from "./api/destinations/rotate-secret.ts";
import { testDestination } from "./api/destinations/test-destination.ts";
import { updateDestination } from "./api/destinations/update-destination.ts";
import { createDigest } from "./api/digests/create-digest.ts";
import { deleteDigest } from "./api/digests/delete-digest.ts";
import { previewDigest } from "./api/digests/preview-digest.ts";
import { listDigests, readDigest } from "./api/digests/read-digests.ts";
import { updateDigest } from "./api/digests/update-digest.ts";
import { listCustomerEvents } from "./api/events/list-customer-events.ts";
import { listRejected } from "./api/events/list-rejected.ts";
import { getExplanation } from "./api/explain/get-explanation.ts";
import { getHealth } from "./api/get-health.ts";
import { getMetrics } from "./api/get-metrics.ts";
import { backfillMetric } from "./api/jobs/backfill-metric.ts";
import { createJob } from "./api/jobs/create-job.ts";
import { listJobs, readJob } from "./api/jobs/read-jobs.ts";
import { createKey } from "./api/keys/create-key.ts";
import { listKeys } from "./api/keys/list-keys.ts";
import { revokeKey } from "./api/keys/revoke-key.ts";
import { createMetric } from "./api/metrics/create-metric.ts";
import { deleteMetric } from "./api/metrics/delete-metric.ts";
import { listMetrics } from "./api/metrics/list-metrics.ts";
import { listTemplates } from "./api/metrics/list-templates.ts";
import { listVersions } from "./api/metrics/list-versions.ts";
import { previewMetric } from "./api/metrics/preview-metric.ts";
import { readMetric } from "./api/metrics/read-metric.ts";
import { updateMetric } from "./api/metrics/update-metric.ts";
import { listNotices } from "./api/notices/list-notices.ts";
import { createProduct } from "./api/products/create-product.ts";
import { deleteProduct } from "./api/products/delete-product.ts";
import { listProducts } from "./api/products/list-products.ts";
import { readProduct } from "./api/products/read-product.ts";
import { updateProduct } from "./api/products/update-product.ts";
import { createPublication } from "./api/publications/create-publication.ts";
import { listPublications } from "./api/publications/list-publications.ts";
import { readPublication } from "./api/publications/read-publication.ts";
import { revokePublication } from "./api/publications/revoke-publication.ts";
import { rotatePublication } from "./api/publications/rotate-publication.ts";
import { updatePublication } from "./api/publications/update-publication.ts";
import { listQuarantine } from "./api/quarantine/list-quarantine.ts";
import { replayQuarantined } from "./api/quarantine/replay-quarantined.ts";
import { postQuery } from "./api/query/post-query.ts";
import { getReports } from "./api/reports/get-reports.ts";
import { listReports } from "./api/reports/list-reports.ts";
import { getStatements } from "./api/statements/get-statements.ts";
import { deleteSubscription } from "./api/subscriptions/delete-subscription.ts";
import { postSubscription } from "./api/subscriptions/post-subscription.ts";
import { listSubscriptions, readSubscription } from "./api/subscriptions/read-subscriptions.ts";
import { createThreshold } from "./api/thresholds/create-threshold.ts";
import { deleteThreshold } from "./api/thresholds/delete-threshold.ts";
import { listThresholds, readThreshold } from "./api/thresholds/read-thresholds.ts";
import { updateThreshold } from "./api/thresholds/update-threshold.ts";
import { getUsage } from "./api/usage/get-usage.ts";
import type { QueryApp, QueryAppEnv } from "./env.ts";
import { serveMcp } from "./mcp/serve-mcp.ts";
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
  updateMetric,
  deleteMetric,
  listVersions,
  listTemplates,
  previewMetric,
  createProduct,
  listProducts,
  readProduct,
  updateProduct,
  deleteProduct,
  backfillMetric,
  createJob,
  listJobs,
  readJob,
  getUsage,
  postQuery,
  listCustomers,
  readCustomer,
  updateCustomer,
  readCustomerUsage,
  postAllowance,
  listAllowances,
  readAllowance,
  updateAllowance,
  deleteAllowance,
  postSubscription,
  listSubscriptions,
  readSubscription,
  deleteSubscription,
  readBalances,
  getStatements,
  getExplanation,
  listCustomerEvents,
  listRejected,
  createThreshold,
  listThresholds,
  readThreshold,
  updateThreshold,
  deleteThreshold,
  listNotices,
  createDestination,
  listDestinations,
  readDestination,
  updateDestination,
  deleteDestination,
  testDestination,
  rotateSecret,
  listDeliveries,
  readDelivery,
  resendDelivery,
  listReports,
  getReports,
  createDigest,
  listDigests,
  readDigest,
  updateDigest,
  deleteDigest,
  previewDigest,
  createPublication,
  listPublications,
  readPublication,
  updatePublication,
  rotatePublication,
  revokePublication,
  createKey,
  listKeys,
  revokeKey,
  listQuarantine,
  replayQuarantined,
  getHealth,
  getMetrics,
  serveMcp,
  publishedPage,
  documentPages,
];
for (const route of routes) route(app);
