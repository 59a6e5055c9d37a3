import { decidedCounter, type ProblemBody } from "@tidemark/contract";
import type { Usage } from "@tidemark/contract/usage-schema";
import { type Aggregation, hash52 } from "@tidemark/core";
import { bucketsOf, type Grain } from "@tidemark/core/buckets";
import { DAY_MS, HOUR_MS } from "@tidemark/core/timestamp";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { addVersion } from "../../../test/add-version.ts";
import { shown } from "../../../test/compose.ts";
import { json, makeMetric, makeProject, metersThat, store, toDays, type Use } from "../../../test/fixture.ts";

const NOW = Date.parse("2026-11-21T15:30:00Z");
const FIRST = Date.parse("2026-11-01T00:00Z");
const HOURS = 24 * 12;
/** Where the second version begins: in the middle of a day. */
const BOUNDARY = FIRST + 5 * DAY_MS + 13 * HOUR_MS + 20 * 60_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

const AGGREGATIONS: readonly Aggregation[] = ["count", "sum", "max", "min", "unique", "latest"];

/** An event with what both versions can read of it. */
interface Happened {
  readonly customer: string;
  readonly at: number;
  readonly value: number;
  readonly id: string;
  readonly properties: Readonly<Record<string, string>>;
  readonly segments: readonly string[];
}

const anyHappened = fc.record({
  customer: fc.constantFrom("acme", "globex", "initech"),
  at: fc.integer({ min: 0, max: HOURS * 6 }).map((ten) => FIRST + ten * 600_000),
  value: fc.integer({ min: -20, max: 20 }),
  properties: fc.record({
    model: fc.constantFrom("gpt", "claude:3", ""),
    region: fc.constantFrom("eu", "ünïcode \"'; DROP--"),
    tier: fc.constantFrom("free", "pro"),
  }),
  segments: fc.subarray(["EU", "Big", "New"]),
});

const RULES = {
  old: { group_by: ["model", "region"], segments: ["EU", "Big"] },
  new: { group_by: ["region", "tier"], segments: ["Big", "New"] },
} as const;

type Rules = { readonly group_by: readonly string[]; readonly segments: readonly string[] };

function toUse({ properties, segments, value, ...rest }: Happened, rules: Rules, aggregation: Aggregation): Use {
  return {
    ...rest,
    value: aggregation === "count" ? 1 : aggregation === "unique" ? value + 20 : value,
    labels: rules.group_by.map((label) => properties[label] ?? ""),
    segments: rules.segments.reduce((bits, name, bit) => bits | (segments.includes(name) ? 1 << bit : 0), 0),
  };
}

function define(rules: Rules) {
  const filters = { and: [{ property: "x", op: "exists" as const }] };
  return { group_by: [...rules.group_by], segments: rules.segments.map((name) => ({ name, filters })) };
}

const anyQuery = fc.record({
  from: fc.integer({ min: -30, max: HOURS - 1 }),
  length: fc.integer({ min: 1, max: HOURS }),
  grain: fc.constantFrom<Grain>("hour", "day", "week", "month"),
  tz: fc.constantFrom("UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo"),
  groupBy: fc.constantFrom(undefined, undefined, "tier", "tier,region"),
  segment: fc.constantFrom(undefined, undefined, "Big", "New"),
  filters: fc.constantFrom<string[][]>(
    [],
    [],
    ["tier:pro"],
    ["region:eu", "tier:free"],
    ["region:ünïcode \"'; DROP--"],
  ),
  customer: fc.constantFrom(undefined, "acme", "globex", "nobody"),
});

describe.each(AGGREGATIONS)("%s", (aggregation) => {
  const kind = {
    aggregation,
    ...(aggregation === "unique" ? { distinct_by: "u" } : aggregation === "count" ? {} : { value_property: "n" }),
    allow_negative: true,
  };

  test.each([1, 2])(
    "is right over every grain, zone, group, segment, filter and customer, in %i versions",
    async (versions) => {
      const project = await makeProject();
      const before = versions === 2 ? RULES.old : RULES.new;
      const metric = await makeMetric(project, { ...kind, ...define(before) });
      const events = fc
        .sample(anyHappened, { numRuns: 300, seed: 5 })
        .map((event, index) => ({ ...event, id: `e${index}` }));
      const rulesOf = ({ at }: { at: number }): Rules => (at < BOUNDARY ? before : RULES.new);
      const [old, young] = [events.filter(({ at }) => at < BOUNDARY), events.filter(({ at }) => at >= BOUNDARY)];
      const keep = async (counter: string, kept: readonly Happened[], rules: Rules) =>
        store(
          project,
          counter,
          kept.map((event) => toUse(event, rules, aggregation)),
          1,
          aggregation,
        );
      if (versions === 1) await keep(metric.id, events, RULES.new);
      else {
        const second = { effectiveFrom: BOUNDARY, shownFrom: BOUNDARY };
        const counter = await addVersion(project, metric.id, define(RULES.new), second);
        const boundaryDay = Math.floor(BOUNDARY / DAY_MS);
        // Either counter holds days that are not shown: from a backfill that is not done, and from before one.
        const unseen = (side: number) =>
          events.filter(({ at }) => Math.sign(Math.floor(at / DAY_MS) - boundaryDay) === side);
        await keep(metric.id, [...old, ...unseen(1)], RULES.old);
        await keep(counter, [...young, ...unseen(-1)], RULES.new);
      }
      for (const query of fc.sample(anyQuery, { numRuns: 40, seed: 17 })) {
        const start = FIRST + query.from * HOUR_MS;
        const end = start + query.length * HOUR_MS;
        const params = new URLSearchParams({
          metric: metric.slug,
          from: new Date(start).toISOString(),
          to: new Date(end).toISOString(),
          grain: query.grain,
          tz: query.tz,
          ...(query.groupBy === undefined ? {} : { group_by: query.groupBy }),
          ...(query.segment === undefined ? {} : { segment: query.segment }),
          ...(query.customer === undefined ? {} : { customer_id: query.customer }),
        });
        for (const filter of query.filters) params.append("filter", filter);
        const usage = await json<Usage>(project, `GET /v1/usage?${params.toString()}`);

        const labels = query.groupBy?.split(",") ?? [];
        const labelOf = (event: Happened, label: string): string =>
          rulesOf(event).group_by.includes(label) ? (event.properties[label] ?? "") : "";
        const groupOf = (event: Happened): string => JSON.stringify(labels.map((label) => labelOf(event, label)));
        const inside = events.filter(
          (event) =>
            event.at >= start &&
            event.at < end &&
            (query.customer === undefined || event.customer === query.customer) &&
            (query.segment === undefined ||
              (rulesOf(event).segments.includes(query.segment) && event.segments.includes(query.segment))) &&
            query.filters.every((filter) => {
              const [label = "", value] = filter.split(/:(.*)/s);
              return labelOf(event, label) === value;
            }),
        );
        const groups = labels.length === 0 ? ["[]"] : [...new Set(inside.map(groupOf))].toSorted();
        const expected = bucketsOf({ start, end }, query.grain, query.tz).flatMap((bucket) =>
          groups.map((group) => {
            const own = inside.filter(
              (event) => event.at >= bucket.start && event.at < bucket.end && groupOf(event) === group,
            );
            const uses = own.map((event) => toUse(event, rulesOf(event), aggregation));
            return [new Date(bucket.start).toISOString().replace(".000Z", "Z"), group, shown(aggregation, uses)];
          }),
        );
        const answered = usage.data.map((row) => [
          row.start,
          JSON.stringify(labels.map((label) => row.group?.[label])),
          row.value,
        ]);
        expect(answered, params.toString()).toEqual(expected);
        expect(usage).toMatchObject({ approximate: false, overflow: false, segment: query.segment ?? null });
      }
    },
  );

  test("takes days from the meter where it knows better", async () => {
    const project = await makeProject();
    const metric = await makeMetric(project, { ...kind, ...define(RULES.new) });
    const stored = fc
      .sample(anyHappened, { numRuns: 60, seed: 3 })
      .map((event, index) => ({ ...event, id: `s${index}` }));
    const fresh = fc
      .sample(anyHappened, { numRuns: 60, seed: 4 })
      .map((event, index) => ({ ...event, id: `f${index}` }));
    const uses = (events: readonly Happened[]) =>
      events.map((event) => toUse({ ...event, customer: "acme" }, RULES.new, aggregation));
    await store(project, metric.id, uses(stored), 5, aggregation);
    const live = toDays(metric.id, uses([...stored, ...fresh]), 6, aggregation);
    const METERS = metersThat(async () => ({ as_of: NOW, days: live }));
    const range = "from=2026-11-01&to=2026-11-13&customer_id=acme";
    for (const tz of ["UTC", "Asia/Tokyo"]) {
      const path = `GET /v1/usage?metric=${metric.slug}&${range}&tz=${tz}&grain=month`;
      const usage = await json<Usage>(project, path, { bindings: { METERS } });
      const [from, to] = [usage.from, usage.to].map((text) => Date.parse(text));
      const counted = uses([...stored, ...fresh]).filter(({ at }) => at >= (from ?? 0) && at < (to ?? 0));
      expect(usage.data.map(({ value }) => value)).toEqual([shown(aggregation, counted)]);
    }
  });
});

describe("a later version", () => {
  test("that was backfilled is shown from where its backfill begins, and the one before until then", async () => {
    const project = await makeProject();
    const metric = await makeMetric(project);
    const shownFrom = FIRST + 2 * DAY_MS;
    const counter = await addVersion(project, metric.id, {}, { effectiveFrom: BOUNDARY, shownFrom });
    const daily = Array.from({ length: 8 }, (_, day) => ({ customer: "a", at: FIRST + day * DAY_MS }));
    await store(project, metric.id, daily.slice(0, 6));
    await store(
      project,
      counter,
      daily.slice(2).map((use) => ({ ...use, value: 10 })),
    );
    for (const customer of ["", "&customer_id=a"]) {
      const path = `GET /v1/usage?metric=${metric.slug}&from=2026-11-01&to=2026-11-09${customer}`;
      const values = (await json<Usage>(project, path)).data.map(({ value }) => value);
      expect(values).toEqual(["1", "1", ...Array.from({ length: 6 }, () => "10")]);
    }
  });

  test("is asked of the meter under its own name", async () => {
    const project = await makeProject();
    const metric = await makeMetric(project);
    const counter = await addVersion(project, metric.id, {}, { effectiveFrom: BOUNDARY, shownFrom: BOUNDARY });
    const asked: unknown[] = [];
    const METERS = metersThat(async (request) => {
      asked.push(request);
      return {
        as_of: NOW,
        days: [
          ...toDays(metric.id, [{ customer: "a", at: BOUNDARY - 1 }], 3),
          ...toDays(counter, [{ customer: "a", at: BOUNDARY }], 4),
        ],
      };
    });
    const path = `GET /v1/usage?metric=${metric.slug}&from=2026-11-06&to=2026-11-07&customer_id=a`;
    const usage = await json<Usage>(project, path, { bindings: { METERS } });
    expect(asked).toMatchObject([{ metric_ids: [metric.id, counter, ...[metric.id, counter].map(decidedCounter)] }]);
    expect(usage.data.map(({ value }) => value)).toEqual(["2"]);
  });
});

describe("a day beyond 64 bits", () => {
  const huge = 9_223_372_036_854_775_807n;

  test("is exact for its customer, and left out of sums over all with a mark", async () => {
    const project = await makeProject();
    const metric = await makeMetric(project, { aggregation: "sum", value_property: "n", group_by: ["model"] });
    const at = FIRST + 5 * HOUR_MS;
    await store(project, metric.id, [
      { customer: "big", at, value: huge, labels: ["x"] },
      { customer: "big", at, value: huge, labels: ["x"] },
      { customer: "big", at: at + DAY_MS, value: 3, labels: ["x"] },
      { customer: "small", at, value: 4, labels: ["x"] },
    ]);
    const read = async (query: string) => {
      const usage = await json<Usage>(project, `GET /v1/usage?metric=${metric.slug}&${query}`);
      return [usage.overflow, usage.data.map(({ value }) => value)];
    };
    const exact = (2n * huge).toString();
    const days = "from=2026-11-01&to=2026-11-03";
    expect(await read(`${days}&customer_id=big`)).toEqual([true, [exact, "3"]]);
    expect(await read(`${days}&customer_id=big&group_by=model&tz=Asia/Tokyo`)).toEqual([
      true,
      ["0", exact, "3"].slice(1),
    ]);
    expect(await read(days)).toEqual([true, ["4", "3"]]);
    expect(await read(`${days}&group_by=model`)).toEqual([true, ["4", "3"]]);
    expect(await read(`${days}&tz=Asia/Tokyo`)).toEqual([true, ["4", "3"]]);
    expect(await read("from=2026-11-02&to=2026-11-03")).toEqual([false, ["3"]]);
  });

  test("that only the meter knows is marked as well", async () => {
    const project = await makeProject();
    const metric = await makeMetric(project, { aggregation: "sum", value_property: "n" });
    const twice = [huge, huge].map((value) => ({ customer: "a", at: FIRST, value }));
    const METERS = metersThat(async () => ({ as_of: NOW, days: toDays(metric.id, twice, 3) }));
    const path = `GET /v1/usage?metric=${metric.slug}&from=2026-11-01&to=2026-11-02&customer_id=a`;
    const usage = await json<Usage>(project, path, { bindings: { METERS } });
    expect([usage.overflow, usage.data[0]?.value]).toEqual([true, (2n * huge).toString()]);
  });
});

test("a total below zero on its way is shown as it ends: +5, −10, +5 is 0", async () => {
  const project = await makeProject();
  const metric = await makeMetric(project, { aggregation: "sum", value_property: "n" });
  const uses = [5, -10, 5].map((value, hour) => ({ customer: "a", at: FIRST + hour * HOUR_MS, value }));
  await store(project, metric.id, uses);
  const read = async (grain: string) =>
    (
      await json<Usage>(
        project,
        `GET /v1/usage?metric=${metric.slug}&from=2026-11-01&to=2026-11-01T03:00:00Z&grain=${grain}`,
      )
    ).data.map(({ value }) => value);
  expect(await read("day")).toEqual(["0"]);
  expect(await read("hour")).toEqual(["5", "0", "5"]);
});

test("a distinct count of many ids is within two per cent, and says that it is an estimate", async () => {
  const project = await makeProject();
  const metric = await makeMetric(project, { aggregation: "unique", distinct_by: "u", group_by: ["model"] });
  const seen = (customer: string, from: number, to: number, day: number): Use[] =>
    Array.from({ length: to - from }, (_, index) => ({
      customer,
      at: FIRST + day * DAY_MS + ((from + index) % 24) * HOUR_MS,
      value: hash52(String(from + index)),
      labels: [index % 2 === 0 ? "x" : "y"],
    }));
  await store(
    project,
    metric.id,
    [...seen("a", 0, 9_000, 0), ...seen("a", 6_000, 12_000, 1), ...seen("b", 11_000, 15_000, 1)],
    1,
    "unique",
  );
  const read = async (query: string) =>
    json<Usage>(project, `GET /v1/usage?metric=${metric.slug}&grain=month&from=2026-11-01&to=2026-11-03${query}`);
  for (const [query, expected] of [
    ["", 15_000],
    ["&customer_id=a", 12_000],
    ["&customer_id=b", 4_000],
  ] as const) {
    const usage = await read(query);
    expect(usage.approximate).toBe(true);
    expect(Math.abs(Number(usage.data[0]?.value) / expected - 1)).toBeLessThan(0.02);
  }
});

describe("a question about segments and labels that the metric does not have names what it has", () => {
  test.each([
    ["segment=Nope", "/segment", /EU/],
    ["filter=model", "/filter", /label:value.*model, plan\.tier/],
    ["filter=region:eu", "/filter", /model, plan\.tier/],
  ])("%s", async (query, pointer, detail) => {
    const project = await makeProject();
    await makeMetric(project, { slug: "m", group_by: ["model", "plan.tier"], segments: define(RULES.old).segments });
    const problem = await json<ProblemBody>(project, `GET /v1/usage?metric=m&${query}`, { status: 400 });
    expect(problem.errors).toEqual([
      { pointer, code: "invalid_value", detail: expect.stringMatching(detail) as string },
    ]);
  });

  test("of a metric without any", async () => {
    const project = await makeProject();
    await makeMetric(project, { slug: "m" });
    for (const query of ["segment=EU", "filter=model:x"]) {
      const problem = await json<ProblemBody>(project, `GET /v1/usage?metric=m&${query}`, { status: 400 });
      expect(problem.errors?.[0]?.detail).toMatch(/no segments|not split/);
    }
  });
});
