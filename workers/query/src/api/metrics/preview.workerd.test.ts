import { PREVIEW_EVENTS_MAX, SEGMENTS_MAX, type ProblemBody } from "@tidemark/contract";
import { env } from "cloudflare:workers";
import { describe, expect, test } from "vitest";
import { json, makeProject, type TestProject } from "../../../test/fixture.ts";

interface Answer {
  readonly events: readonly { readonly running: string | null; readonly reason: string | null }[];
  readonly result: string | null;
  readonly example_event: object;
  readonly aggregation_line: string;
  readonly snippets: { readonly curl: string };
}

const COUNT = { aggregation: "count", event_matchers: [{ event: "api_request" }] };
const SUM = { aggregation: "sum", value_property: "n", event_matchers: [{ event: "api_request" }] };

function preview(project: TestProject, body: unknown): Promise<Answer> {
  return json(project, "POST /v1/metrics/preview", { body, key: project.keys.read });
}

async function faults(body: unknown) {
  const project = await makeProject();
  const problem = await json<ProblemBody>(project, "POST /v1/metrics/preview", { body, status: 400 });
  for (const { detail } of problem.errors ?? []) expect(detail).toMatch(/^[A-Za-z].*\.$/);
  return problem.errors?.map(({ pointer }) => pointer);
}

function sent(values: readonly unknown[]): readonly object[] {
  return values.map((n) => ({ event: "api_request", properties: { n } }));
}

describe("a preview", () => {
  test("tries a metric that has no name yet, and stores nothing", async () => {
    const project = await makeProject();
    const answer = await preview(project, { metric: SUM, events: sent([1, 2, 3]) });
    expect(answer).toMatchObject({ result: "6", aggregation_line: "1 + 2 + 3 = 6" });
    expect(answer.events.map(({ running }) => running)).toEqual(["1", "3", "6"]);
    expect(answer.snippets.curl).toContain("'http://localhost/v1/events'");
    for (const table of ["metrics", "metric_versions", "customers", "usage_days"]) {
      const rows = await env.DB.prepare(`SELECT COUNT(*) AS n FROM ${table} WHERE project_id = ?`)
        .bind(project.id)
        .first("n");
      expect(rows, table).toBe(0);
    }
  });

  test("never goes below zero unless it may: +5, -10, +5 (V7)", async () => {
    const project = await makeProject();
    expect((await preview(project, { metric: SUM, events: sent([5, -10, 5]) })).result).toBe("0");
    const signed = { ...SUM, allow_negative: true };
    expect((await preview(project, { metric: signed, events: sent([5, -10]) })).result).toBe("-5");
  });

  test("reads numbers as ingest does, to the last digit", async () => {
    const project = await makeProject();
    const body = `{"metric":${JSON.stringify(SUM)},"events":[{"event":"api_request","properties":{"n":9007199254740993}}],"state":{"value":"1"}}`;
    expect((await preview(project, body)).result).toBe("9007199254740994");
  });

  test("of no events shows what they would look like", async () => {
    const metric = { ...COUNT, filters: { and: [{ property: "status", op: "equals", value: 200 }] } };
    expect(await preview(await makeProject(), { metric })).toMatchObject({
      events: [],
      result: "0",
      example_event: { event: "api_request", properties: { status: 200 } },
    });
  });

  test("takes its own example event", async () => {
    const project = await makeProject();
    const segment = { name: "EU", filters: { or: [{ property: "region", op: "equals", value: "eu" }] } };
    const metric = { ...SUM, segments: [segment], group_by: ["geo.region"] };
    const { example_event } = await preview(project, { metric });
    expect(await preview(project, { metric, events: [example_event] })).toMatchObject({
      result: "10",
      segments: [{ name: "EU", color: "blue", result: "0" }],
    });
  });

  test("answers the largest definition with as many events as a preview takes", async () => {
    const project = await makeProject();
    const condition = { or: Array.from({ length: 9 }, (_, i) => ({ property: `p${i}`, op: "contains", value: "x" })) };
    const segments = Array.from({ length: SEGMENTS_MAX }, (_, i) => ({ name: `S${i}`, filters: condition }));
    const metric = { ...SUM, segments, filters: { and: Array.from({ length: 9 }, () => condition) } };
    const { events } = await preview(project, {
      metric,
      events: sent(Array.from({ length: PREVIEW_EVENTS_MAX }, () => 1)),
    });
    expect(events).toHaveLength(PREVIEW_EVENTS_MAX);
  });
});

describe("a preview is refused, and the place is named", () => {
  test.each([
    [{}, ["/metric"]],
    [{ metric: { ...SUM, value_property: null } }, ["/metric/value_property"]],
    [
      { metric: { ...COUNT, filters: { and: [{ property: "a", op: "regex", value: "x" }] } } },
      ["/metric/filters/and/0/op"],
    ],
    [{ metric: COUNT, events: {} }, ["/events"]],
    [
      { metric: COUNT, events: [{ event: "a" }, 7, { name: "a" }, {}] },
      ["/events/1", "/events/2/name", "/events/3/event"],
    ],
    [{ metric: COUNT, events: [{ event: "a", timestamp: "yesterday" }] }, ["/events/0/timestamp"]],
    [{ metric: COUNT, events: [{ event: "a", properties: [1] }] }, ["/events/0/properties"]],
    [{ metric: COUNT, events: [{ event: "a", customer_id: "" }] }, ["/events/0/customer_id"]],
    [{ metric: SUM, state: { value: "many" } }, ["/state/value"]],
    [{ metric: SUM, state: { value: 1.5 } }, ["/state/value"]],
    [{ metric: SUM, state: 5 }, ["/state"]],
    [{ metric: COUNT, event: [] }, ["/event"]],
  ])("%j", async (body, pointers) => {
    expect(await faults(body)).toEqual(pointers);
  });

  test("with one event more than the limit says", async () => {
    expect(
      await faults({ metric: COUNT, events: sent(Array.from({ length: PREVIEW_EVENTS_MAX + 1 }, () => 1)) }),
    ).toEqual(["/events"]);
  });
});
