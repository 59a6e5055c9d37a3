import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { ApiClient } from "@tidemark/testing/api-client";
import { type Server, startServer } from "@tidemark/testing/server";
import { afterAll, beforeAll, expect, test } from "vitest";

// The tour of the README, as a reader pastes it: its commands, in one shell, on the sample data.

const README = readFileSync(join(import.meta.dirname, "../../../README.md"), "utf8");
const SECTION = "Who uses what";
/** Between what two commands print. */
const END = "\u001e";

/** The commands of a section: each begins at the start of a line, and goes on where lines are indented. */
function commandsOf(section: string): readonly string[] {
  const [, text = ""] = README.split(`\n## ${section}\n`);
  const [own = ""] = text.split("\n## ");
  const blocks = Array.from(own.matchAll(/^```sh\n(.*?)^```$/gms), ([, block = ""]) => block);
  return blocks
    .join("\n")
    .split(/\n(?=\S)/)
    .map((command) => command.trim())
    .filter((command) => command !== "" && !command.startsWith("#"));
}

interface Printed {
  readonly command: string;
  /** Of what is printed; a command that keeps an id for the next one prints nothing. */
  readonly status: number | null;
  readonly body: unknown;
}

/** Runs commands in one shell. Only that curl also prints the status, and no progress, is not as a reader has it. */
async function run(
  commands: readonly string[],
  variables: Readonly<Record<string, string>>,
): Promise<readonly Printed[]> {
  const curl = `curl() { command curl --silent --show-error --write-out '\\n%{http_code}' "$@"; }`;
  const script = ["set -eu", curl, ...commands.flatMap((command) => [command, `printf '${END}'`])].join("\n");
  const env = { ...process.env, ...variables };
  const { stdout } = await promisify(execFile)("bash", ["-c", script], { env, maxBuffer: 50_000_000 });
  const printed = stdout.split(END);
  return commands.map((command, index) => {
    const [, body = "null", status = null] = /^(.*)\n(\d{3})$/s.exec(printed[index] ?? "") ?? [];
    return { command, status: status === null ? null : Number(status), body: JSON.parse(body) as unknown };
  });
}

let server: Server;
let admin: ApiClient;
let tour: readonly Printed[];

beforeAll(async () => {
  server = await startServer({ demo: true });
  admin = new ApiClient(server.url, server.keys.admin);
  tour = await run(commandsOf(SECTION), { KEY: server.keys.admin, URL: server.url });
});
afterAll(async () => {
  await server.stop();
});

/** The body of the one command that has a text in it, and that had a status. */
function printedBy(text: string, wanted = 200): unknown {
  const [only, ...others] = tour.filter(({ command }) => command.includes(text));
  expect({ commands: others.length + 1, status: only?.status }).toEqual({ commands: 1, status: wanted });
  return only?.body;
}

interface Report {
  readonly rule?: string;
  readonly count?: number;
  readonly data: readonly Readonly<Record<string, unknown>>[];
}

function reportOf(name: string): Report {
  return printedBy(`/v1/reports/${name}?`) as Report;
}

const asText = expect.any(String) as string;

test("every command is tested here", () => {
  const reports = Array.from({ length: 8 }, () => 200);
  const telling = [201, null, 201, null, 200];
  const asking = [200, 201, 201];
  expect(tour.map(({ status }) => status)).toEqual([...reports, ...telling, ...asking]);
});

test("the reports show the sample data's customers", () => {
  const busiest = { rank: 1, customer_id: "azure_badger", total: "482" };
  const top = reportOf("top-customers");
  expect(top.data).toHaveLength(20);
  expect(top.data[0]).toMatchObject({ ...busiest, trend: "new", trend_detail: { rule: asText } });
  expect(top.data[0]?.["series"]).toHaveLength(30);
  const labels = reportOf("heavy-labels").data[0];
  expect(labels).toMatchObject({
    ...busiest,
    labels: expect.arrayContaining([{ label: "/", value: "91", share: "0.1888" }]) as unknown,
  });
  const hours = reportOf("hour-of-day").data;
  expect(hours).toHaveLength(5);
  expect(hours[0]).toMatchObject({ ...busiest, rhythm: "steady" });
  expect(reportOf("error-rate").data[0]).toMatchObject({
    ...busiest,
    errors_4xx: "8",
    errors_5xx: "2",
    rate: "0.0207",
  });
});

test.each([
  ["dropping", "Down by more than 50% on the equal period before, in which something was used."],
  ["dormant", "No event for 7 days or more, and something was used before."],
  ["growing", "Up by more than 30% on the equal period before, in which something was used."],
  ["near-limit", "80% or more of what the cycle has is used: its base, and what was carried or granted."],
])("%s says its rule, and finds nobody in four days", (name, rule) => {
  expect(reportOf(name)).toMatchObject({ rule, count: 0, data: [] });
});

test.each(["growing", "dropping"])("%s finds somebody in two days, as the text says", async (name) => {
  const { data } = await admin.get<Report>(`/v1/reports/${name}?metric=api_requests&days=2`);
  expect(data.length).toBeGreaterThan(0);
});

test("the webhook's answer has its secret, and the channel is there", async () => {
  expect(printedBy('"kind": "webhook"', 201)).toMatchObject({
    shown_url: "https://hooks.example.com/…",
    wants: ["threshold_crossed"],
    secret: expect.stringMatching(/^whsec_/) as string,
  });
  const { data } = await admin.get<{ readonly data: readonly { readonly kind: string }[] }>("/v1/destinations");
  expect(data.map(({ kind }) => kind).toSorted()).toEqual(["slack", "webhook"]);
});

test("the threshold is at 80% of every customer's limit", () => {
  expect(printedBy("/v1/thresholds", 201)).toMatchObject({ percent: 80, operator: ">=", customer_id: null });
});

test("the digest is due on Monday at nine, goes to the channel, and says the week in advance", async () => {
  interface Digest {
    readonly id: string;
    readonly destination_id: string;
    readonly next_at: string;
  }
  const { data } = await admin.get<{ readonly data: readonly Digest[] }>("/v1/digests");
  expect(data).toHaveLength(1);
  const due = new Date(data[0]?.next_at ?? "");
  expect([due.getUTCDay(), due.getUTCHours(), due.getUTCMinutes()]).toEqual([1, 9, 0]);
  const channel = await admin.get<{ readonly kind: string }>(`/v1/destinations/${data[0]?.destination_id ?? ""}`);
  expect(channel.kind).toBe("slack");
  expect(printedBy("/preview")).toMatchObject({
    digest_id: data[0]?.id,
    digest: "Monday morning",
    total: { value: expect.stringMatching(/^\d{4,5}$/) as string, previous: "0" },
  });
});

test("the query finds who gets a 404 where", () => {
  const answer = printedBy("/v1/query") as { readonly total_rows: number; readonly data: readonly unknown[] };
  expect(answer.total_rows).toBeGreaterThan(20);
  expect(answer.data).toHaveLength(20);
  const group = { customer: asText, endpoint: asText };
  const row = { group, values: { value: asText }, previous: { value: "0" }, change: { value: null } };
  expect(answer.data[0]).toMatchObject(row);
});

test.each([
  ["Top 20 pages", "/favicon.ico"],
  ["Who gets errors", "Customer "],
])("the page %s opens without a key of the API, and names no customer", async (title, shown) => {
  const { public_url } = printedBy(`"title": "${title}"`, 201) as { readonly public_url: string };
  const response = await fetch(public_url);
  expect(response.status).toBe(200);
  const html = await response.text();
  expect(html).toContain(title);
  expect(html).toContain(shown);
  expect(html).not.toContain("azure_badger");
});
