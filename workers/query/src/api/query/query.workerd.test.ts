import type { QueryAnswer } from "@tidemark/contract/query-schema";
import type { Aggregation } from "@tidemark/core";
import { changeOf } from "@tidemark/core/change";
import { DAY_MS, HOUR_MS } from "@tidemark/core/timestamp";
import fc from "fast-check";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { addVersion } from "../../../test/add-version.ts";
import { compose } from "../../../test/compose.ts";
import { json, makeMetric, makeProject, store, type Use } from "../../../test/fixture.ts";

const NOW = Date.parse("2026-11-21T15:30:00Z");
const FIRST = Date.parse("2026-11-01T00:00Z");
const HOURS = 24 * 20 + 15;
/** Where the second version begins: in the middle of a day. */
const BOUNDARY = FIRST + 9 * DAY_MS + 13 * HOUR_MS + 20 * 60_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

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
  customer: fc.constantFrom("acme", "globex", "=initech"),
  at: fc.integer({ min: 0, max: HOURS * 6 }).map((ten) => FIRST + ten * 600_000),
  value: fc.integer({ min: -20, max: 20 }),
  properties: fc.record({
    model: fc.constantFrom("gpt", "claude:3", ""),
    region: fc.constantFrom("eu", "ünïcode \"'; DROP--"),
    day: fc.constantFrom("free", "pro"),
  }),
  segments: fc.subarray(["EU", "Big", "New"]),
});

const RULES = {
  old: { group_by: ["model", "region"], segments: ["EU", "Big"] },
  // A label with the name of a group.
  new: { group_by: ["region", "day"], segments: ["Big", "New"] },
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

const TIMES = ["hour", "day", "week", "month", "hour_of_day", "day_of_week"] as const;

const anyQuestion = fc.record({
  from: fc.integer({ min: -30, max: HOURS - 1 }),
  length: fc.integer({ min: 1, max: HOURS }),
  days: fc.option(fc.integer({ min: 1, max: 25 })),
  tz: fc.constantFrom("UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo"),
  group_by: fc.uniqueArray(fc.constantFrom("customer", "region", "label:day", "segment", ...TIMES), { maxLength: 3 }),
  customers: fc.constantFrom<readonly string[] | undefined>(
    undefined,
    undefined,
    ["acme"],
    ["globex", "nobody", "=initech"],
  ),
  labels: fc.constantFrom<Readonly<Record<string, readonly string[]>> | undefined>(
    undefined,
    undefined,
    { day: ["pro", ""] },
    { region: ["eu"], day: ["free", "x"] },
  ),
  segment: fc.constantFrom(undefined, undefined, "Big", "New"),
  compare: fc.boolean(),
});
type Question = typeof anyQuestion extends fc.Arbitrary<infer Value> ? Value : never;

/** What a group's value is for an event, by the clock of the zone; several where segments overlap. */
function groupsOf(name: string, event: Happened, rules: Rules, tz: string): readonly string[] {
  const { date, hour } = localTime(event.at, tz);
  const weekday = new Date(date).getUTCDay() || 7;
  switch (name) {
    case "customer":
      return [event.customer];
    case "segment":
      return ["Big", "New"].filter((segment) => rules.segments.includes(segment) && event.segments.includes(segment));
    case "hour":
      return [new Date(Math.floor(event.at / HOUR_MS) * HOUR_MS).toISOString().replace(".000Z", "Z")];
    case "day":
      return [date];
    case "week":
      return [new Date(Date.parse(date) - (weekday - 1) * DAY_MS).toISOString().slice(0, 10)];
    case "month":
      return [date.slice(0, 7)];
    case "hour_of_day":
      return [String(hour)];
    case "day_of_week":
      return [String(weekday)];
    default: {
      const label = name.replace("label:", "");
      return [rules.group_by.includes(label) ? (event.properties[label] ?? "") : ""];
    }
  }
}

/** Every combination of a list of choices. */
function combine(choices: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return choices.reduce<readonly (readonly string[])[]>(
    (all, own) => all.flatMap((head) => own.map((choice) => [...head, choice])),
    [[]],
  );
}

describe.each<Aggregation>(["count", "sum", "max", "min", "unique", "latest"])("%s", (aggregation) => {
  const kind = {
    aggregation,
    ...(aggregation === "unique" ? { distinct_by: "u" } : aggregation === "count" ? {} : { value_property: "n" }),
    allow_negative: true,
  };

  test.each([1, 2])("is right over every group, zone, filter and comparison, in %i versions", async (versions) => {
    const project = await makeProject();
    const before = versions === 2 ? RULES.old : RULES.new;
    const metric = await makeMetric(project, { ...kind, ...define(before) });
    const events = fc
      .sample(anyHappened, { numRuns: 250, seed: 7 })
      .map((event, index) => ({ ...event, id: `e${index}` }));
    const rulesOf = ({ at }: { at: number }): Rules => (at < BOUNDARY ? before : RULES.new);
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
      await keep(
        metric.id,
        events.filter(({ at }) => at < BOUNDARY),
        RULES.old,
      );
      await keep(
        counter,
        events.filter(({ at }) => at >= BOUNDARY),
        RULES.new,
      );
    }
    const questions = fc.sample(anyQuestion, { numRuns: 60, seed: 23 });
    for (const question of questions)
      await check(project, { slug: metric.slug, aggregation, events, rulesOf }, question);
  });
});

async function check(
  project: Awaited<ReturnType<typeof makeProject>>,
  subject: {
    readonly slug: string;
    readonly aggregation: Aggregation;
    readonly events: readonly Happened[];
    readonly rulesOf: (event: Happened) => Rules;
  },
  { from, length, days, tz, group_by, customers, labels, segment, compare: wanted }: Question,
): Promise<void> {
  const { slug, aggregation, events, rulesOf } = subject;
  const compare = wanted && !group_by.some((name) => ["hour", "day", "week", "month"].includes(name));
  const body = {
    metric: slug,
    measures: ["value", ...(aggregation === "unique" ? [] : ["active_days", "customers"])],
    group_by,
    range:
      days === null
        ? {
            from: new Date(FIRST + from * HOUR_MS).toISOString(),
            to: new Date(FIRST + (from + length) * HOUR_MS).toISOString(),
          }
        : { days },
    tz,
    filter: { customers, labels, segment },
    compare: compare ? "previous_period" : null,
    limit: 10_000,
  };
  const answer = await json<QueryAnswer>(project, "POST /v1/query", { body });
  const inside = events.filter(
    (event) =>
      (customers === undefined || customers.includes(event.customer)) &&
      (segment === undefined || groupsOf("segment", event, rulesOf(event), tz).includes(segment)) &&
      Object.entries<readonly string[]>(labels ?? {}).every(([label, values]) =>
        values.includes(groupsOf(`label:${label}`, event, rulesOf(event), tz)[0] ?? ""),
      ),
  );
  const [start, end] = [Date.parse(answer.from), Date.parse(answer.to)];
  const cell = (group: Record<string, string>, since: number, until: number): Use[] =>
    inside
      .filter(
        (event) =>
          event.at >= since &&
          event.at < until &&
          Object.entries(group).every(([name, value]) => groupsOf(name, event, rulesOf(event), tz).includes(value)),
      )
      .map((event) => toUse(event, rulesOf(event), aggregation));
  const empty = ["count", "sum", "unique"].includes(aggregation) ? "0" : null;
  const measure = (uses: readonly Use[]) => ({
    value: compose(aggregation, uses)?.toString() ?? empty,
    ...(aggregation === "unique"
      ? {}
      : {
          active_days: new Set(uses.map((use) => localTime(use.at, tz).date)).size,
          customers: new Set(uses.map((use) => use.customer)).size,
        }),
  });
  const seen = new Set<string>();
  for (const { group, values, previous, change } of answer.data) {
    seen.add(JSON.stringify(group_by.map((name) => group[name])));
    const note = JSON.stringify({ body, group });
    expect(values, note).toEqual(measure(cell(group, start, end)));
    if (!compare) continue;
    const begin = Date.parse(answer.previous_from ?? "");
    expect(previous, note).toEqual(measure(cell(group, begin, start)));
    const cut = answer.incomplete_from === null ? end : Date.parse(answer.incomplete_from);
    const whole = days === null || answer.incomplete_from === null ? cut - start : 0;
    const until = whole > 0 ? begin + whole : addDays(begin, tz, (days ?? 1) - 1);
    const expected =
      cut === start
        ? null
        : changeOf(
            compose(aggregation, cell(group, start, cut)) ?? 0n,
            compose(aggregation, cell(group, begin, until)) ?? 0n,
          );
    expect(change?.["value"], note).toBe(expected);
  }
  // Every group in which something happened has a row.
  for (const event of inside.filter(({ at }) => at >= start && at < end))
    for (const group of combine(group_by.map((name) => groupsOf(name, event, rulesOf(event), tz))))
      expect(seen, JSON.stringify(body)).toContain(JSON.stringify(group));
  expect(answer.total_rows).toBe(answer.data.length);
}

const CLOCKS = new Map<string, Intl.DateTimeFormat>();

/** What a clock in a zone shows, by the platform's own calendar. */
function localTime(at: number, timeZone: string): { readonly date: string; readonly hour: number } {
  const clock =
    CLOCKS.get(timeZone) ??
    new Intl.DateTimeFormat("sv-SE", { timeZone, dateStyle: "short", timeStyle: "short", hourCycle: "h23" });
  CLOCKS.set(timeZone, clock);
  const text = clock.format(at);
  return { date: text.slice(0, 10), hour: Number(text.slice(11, 13)) };
}

/** The midnight so many days after one, found by walking hour by hour. */
function addDays(at: number, tz: string, days: number): number {
  let left = days;
  let moment = at;
  while (left > 0) {
    const before = localTime(moment, tz).date;
    moment += HOUR_MS;
    if (localTime(moment, tz).date !== before) left--;
  }
  return moment;
}
