import type { QueryApp } from "../env.ts";
import { VERSION } from "../version.ts";
import { describeDecisions } from "./describe-decisions.ts";
import { describeIngest } from "./describe-ingest.ts";

type Document = ReturnType<QueryApp["getOpenAPI31Document"]>;

let described: Document | undefined;

/** The OpenAPI 3.1 document of the deployment, with the origin that was asked as its server. */
export function describeApi(app: QueryApp, requestUrl: string): Document {
  described ??= generate(app);
  return { ...described, servers: [{ url: new URL(requestUrl).origin }] };
}

function generate(app: QueryApp): Document {
  app.openAPIRegistry.registerComponent("securitySchemes", "key", {
    type: "http",
    scheme: "bearer",
    description: "`Authorization: Bearer <key>`. The key names its project.",
  });
  describeIngest(app.openAPIRegistry);
  describeDecisions(app.openAPIRegistry);
  return app.getOpenAPI31Document({
    openapi: "3.1.0",
    info: {
      title: "Tidemark",
      version: VERSION,
      description: DESCRIPTION,
      license: { name: "Apache-2.0", url: "https://www.apache.org/licenses/LICENSE-2.0" },
    },
    tags: TAGS,
  });
}

const DESCRIPTION = `Usage metering: programs send events, metrics turn them into quantities, people see who uses how much.

Quantities are exact decimals, as text. Time points are RFC 3339 in UTC. Lists take \`limit\` and \`cursor\` and answer \`data\` and \`next_cursor\`. Fields and parameters that do not exist are refused. POSTs other than events take \`Idempotency-Key\`.

Errors are \`application/problem+json\`; \`type\` is the address of a page that explains the code.`;

const TAGS = [
  { name: "Events", description: "Send what happened." },
  { name: "Decisions", description: "Ask before something is used." },
  { name: "Metrics", description: "Say what to count." },
  { name: "Products", description: "Say what is sold." },
  { name: "Quotas", description: "Say what a customer may use and is charged for, and see where it stands." },
  { name: "Thresholds", description: "Hear when usage comes to a line." },
  { name: "Usage", description: "Read what was counted." },
  { name: "Customers" },
  { name: "Reports" },
  { name: "Digests", description: "Hear every week who grew, dropped, went quiet, or is near a limit." },
  { name: "Publications", description: "Show a report to people without an account." },
  { name: "Keys" },
  { name: "Jobs", description: "Count again from the archive: in the past, anew, or to compare." },
  { name: "Quarantine", description: "What was accepted and could not be counted." },
  { name: "System" },
];
