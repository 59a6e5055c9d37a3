import type { FC } from "hono/jsx";
import { Layout, Wordmark } from "./layout.tsx";

export interface HomePageProps {
  /** Scheme, host and port of this deployment, as the reader reached it. */
  readonly origin: string;
}

/** What stands at `/`: what this is, and the shortest way from a key to a table. */
export const HomePage: FC<HomePageProps> = ({ origin }) => (
  <Layout title="Tidemark" page="home">
    <header>
      <Wordmark />
      <h1>Who uses how much</h1>
      <p class="lead">
        This deployment meters usage: programs send events, metrics turn them into quantities, and people see every
        customer's share behind a link. An event that was answered 202 is counted exactly once.
      </p>
    </header>
    <ol class="steps">
      <Step title="Take a key" command={KEY}>
        Locally, the keys are in <code>.tidemark/keys.json</code>. On a deployed Tidemark, whoever set it up makes one
        with <code>POST /v1/keys</code>.
      </Step>
      <Step title="Send a first event" command={event(origin)}>
        One event for each request that you serve. The answer is 202 once it is safe; give it an <code>id</code> of your
        own and you may send it again as often as you like.
      </Step>
      <Step title="Make a first metric" command={metric(origin)}>
        A metric counts from the moment it exists, so send the event once more after this. Then read the table:
        <Command text={report(origin)} />
      </Step>
    </ol>
    <nav aria-label="Documentation">
      <ul class="links">
        <li>
          <a href="/docs">API reference</a> Every operation, its fields and answers.
        </li>
        <li>
          <a href="/openapi.json">openapi.json</a> The same for programs, OpenAPI 3.1.
        </li>
        <li>
          <a href="/docs/errors">Errors</a> What each code means and what to do.
        </li>
      </ul>
    </nav>
  </Layout>
);

const Step: FC<{ readonly title: string; readonly command: string; readonly children?: unknown }> = ({
  title,
  command,
  children,
}) => (
  <li>
    <h2>{title}</h2>
    <Command text={command} />
    <div>{children}</div>
  </li>
);

const Command: FC<{ readonly text: string }> = ({ text }) => (
  <pre>
    <code>{text}</code>
  </pre>
);

const KEY = `export TIDEMARK_KEY=$(node -p 'require("./.tidemark/keys.json").admin')`;

function event(origin: string): string {
  return post(`${origin}/v1/events`, `{"event": "api_request", "customer_id": "acme_corp"}`);
}

function metric(origin: string): string {
  return post(
    `${origin}/v1/metrics`,
    `{"name": "API requests", "unit": "requests",
       "aggregation": "count", "event_matchers": [{"event": "api_request"}]}`,
  );
}

function report(origin: string): string {
  return `curl '${origin}/v1/reports/top-customers?metric=api_requests&days=30' \\
  -H "Authorization: Bearer $TIDEMARK_KEY"`;
}

function post(url: string, body: string): string {
  return `curl ${url} \\
  -H "Authorization: Bearer $TIDEMARK_KEY" \\
  -H "Content-Type: application/json" \\
  -d '${body}'`;
}
