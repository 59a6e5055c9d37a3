import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { ApiClient, eventually } from "@tidemark/testing/api-client";
import { type Server, startServer } from "@tidemark/testing/server";
import { afterAll, beforeAll, expect, test } from "vitest";

interface Usage {
  readonly data: readonly {
    readonly start: string;
    readonly value: string;
    readonly group?: Readonly<Record<string, string>>;
  }[];
}

interface Line {
  readonly address: string;
  readonly day: string;
  readonly endpoint: string;
  readonly status: string;
  readonly bytes: number;
  readonly at: number;
}

const LOG = join(import.meta.dirname, "../../../examples/access.log.gz");
const BATCH = 500;

/** The log's own numbers, by a parser that shares nothing with the product: fields between blanks. */
function readLog(): Line[] {
  const days = Date.UTC(2015, 4, 20) - Math.floor(Date.now() / 86_400_000 - 1) * 86_400_000;
  return gunzipSync(readFileSync(LOG))
    .toString("latin1")
    .trimEnd()
    .split("\n")
    .map((line) => {
      const [address = "", , , date = "", , , path = ""] = line.split(" ");
      const [, after = ""] = /" (\d.*)$/.exec(line.replace(/"[^"]*"\s*$/, "").replace(/"[^"]*"\s*$/, "")) ?? [];
      const [status = "", bytes = ""] = after.trim().split(" ");
      const [day = "", , , ...time] = date.slice(1).replaceAll("/", ":").split(":");
      // Whole days to yesterday, so that no event lies ahead of the clock.
      const at = Date.UTC(2015, 4, Number(day), Number(time[0]), Number(time[1]), Number(time[2])) - days;
      return {
        address,
        day: new Date(at).toISOString().slice(0, 10),
        endpoint: path.replace(/\?.*$/, ""),
        status,
        bytes: Number(bytes.replace("-", "0")),
        at,
      };
    });
}

function sumBy(
  lines: readonly Line[],
  key: (line: Line) => string,
  value: (line: Line) => number = () => 1,
): Record<string, string> {
  const sums = new Map<string, number>();
  for (const line of lines) sums.set(key(line), (sums.get(key(line)) ?? 0) + value(line));
  return Object.fromEntries([...sums].map(([name, sum]) => [name, String(sum)]));
}

function shuffled<Item>(items: readonly Item[]): Item[] {
  // A fixed generator, so that a failure can be repeated.
  let seed = 20_150_520;
  const random = (): number => (seed = (Math.imul(seed, 1_103_515_245) + 12_345) & 0x7fffffff) / 0x80000000;
  return items
    .map((item) => [random(), item] as const)
    .toSorted(([a], [b]) => a - b)
    .map(([, item]) => item);
}

const lines = readLog();
const from = lines.map((line) => line.day).toSorted()[0] ?? "";
let server: Server;
let read: ApiClient;

beforeAll(async () => {
  server = await startServer({ demo: false });
  const admin = new ApiClient(server.url, server.keys.admin);
  const ingest = new ApiClient(server.url, server.keys.ingest);
  read = new ApiClient(server.url, server.keys.read);
  const matcher = { event_matchers: [{ event: "api_request" }] };
  await admin.post("/v1/metrics", {
    name: "API requests",
    ...matcher,
    aggregation: "count",
    group_by: ["endpoint", "status"],
  });
  await admin.post("/v1/metrics", { name: "Bytes sent", ...matcher, aggregation: "sum", value_property: "bytes" });

  const events = shuffled(
    lines.map((line, index) => ({
      id: `line-${index}`,
      event: "api_request",
      customer_id: line.address,
      timestamp: new Date(line.at).toISOString(),
      properties: { endpoint: line.endpoint, status: Number(line.status), bytes: line.bytes },
    })),
  );
  const batches = Array.from({ length: events.length / BATCH }, (_, i) => events.slice(i * BATCH, (i + 1) * BATCH));
  // Every batch twice, and some events in a third one.
  const third = [events.slice(250, 750), events.slice(4_000, 4_500)];
  for (const batch of shuffled([...batches, ...batches, ...third])) {
    expect(await ingest.post("/v1/events", batch)).toMatchObject({ accepted: BATCH, rejected: [] });
  }
  const counted = await eventually(
    () => read.get<Usage>(`/v1/usage?metric=api_requests&from=${from}&grain=day`),
    (usage) => usage.data.reduce((sum, bucket) => sum + Number(bucket.value), 0) >= lines.length,
    60_000,
  );
  expect(counted.data.reduce((sum, bucket) => sum + Number(bucket.value), 0)).toBe(lines.length);
});
afterAll(async () => {
  await server.stop();
});

test("requests per day are the log's own", async () => {
  const usage = await read.get<Usage>(`/v1/usage?metric=api_requests&from=${from}&grain=day`);
  const days = usage.data
    .filter((bucket) => bucket.value !== "0")
    .map((bucket) => [bucket.start.slice(0, 10), bucket.value]);
  expect(Object.fromEntries(days)).toEqual(sumBy(lines, (line) => line.day));
});

test.each(["endpoint", "status"] as const)("requests per %s are the log's own", async (label) => {
  const usage = await read.get<Usage>(`/v1/usage?metric=api_requests&from=${from}&grain=month&group_by=${label}`);
  const sums: Record<string, number> = {};
  for (const { group, value } of usage.data)
    sums[group?.[label] ?? ""] = (sums[group?.[label] ?? ""] ?? 0) + Number(value);
  expect(Object.fromEntries(Object.entries(sums).map(([name, sum]) => [name, String(sum)]))).toEqual(
    sumBy(lines, (line) => line[label]),
  );
});

test("every customer's requests and bytes are the log's own, exactly", async () => {
  const report = async (metric: string): Promise<Record<string, string>> => {
    const totals: Record<string, string> = {};
    const { data } = await read.get<{ data: { customer_id: string; total: string }[] }>(
      `/v1/reports/top-customers?metric=${metric}&days=7&limit=500`,
    );
    for (const row of data) totals[row.customer_id] = row.total;
    return totals;
  };
  const top = (all: Record<string, string>): Record<string, string> =>
    Object.fromEntries(
      Object.entries(all)
        .toSorted(([a, x], [b, y]) => Number(y) - Number(x) || (a < b ? -1 : 1))
        .slice(0, 500),
    );
  expect(await report("api_requests")).toEqual(top(sumBy(lines, (line) => line.address)));
  expect(await report("bytes_sent")).toEqual(
    top(
      sumBy(
        lines,
        (line) => line.address,
        (line) => line.bytes,
      ),
    ),
  );
  const bytes = await read.get<Usage>(`/v1/usage?metric=bytes_sent&from=${from}&grain=month`);
  expect(bytes.data.reduce((sum, bucket) => sum + BigInt(bucket.value), 0n)).toBe(
    lines.reduce((sum, line) => sum + BigInt(line.bytes), 0n),
  );
});

test("each of fifty customers' own days, live, are the log's own", async () => {
  const customers = Object.keys(sumBy(lines, (line) => line.address)).slice(0, 50);
  for (const customer of customers) {
    const usage = await read.get<Usage>(
      `/v1/usage?metric=api_requests&customer_id=${encodeURIComponent(customer)}&from=${from}&grain=day`,
    );
    const own = lines.filter((line) => line.address === customer);
    expect(
      Object.fromEntries(
        usage.data.filter((bucket) => bucket.value !== "0").map((bucket) => [bucket.start.slice(0, 10), bucket.value]),
      ),
    ).toEqual(sumBy(own, (line) => line.day));
  }
});

test("nothing was kept aside", async () => {
  expect(await read.get("/v1/quarantine")).toMatchObject({ data: [] });
});
