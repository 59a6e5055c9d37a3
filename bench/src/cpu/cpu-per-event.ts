import { checkEvent } from "@tidemark/contract/event-check";
import { EventSchema } from "@tidemark/contract/event-schema";
import {
  type Catalog,
  compileCatalog,
  evaluate,
  hashContent,
  hashId,
  type Metric,
  parseExactJson,
  type UsageEvent,
} from "@tidemark/core";
import { metricOf } from "@tidemark/testing/metric";
import { Workload, WORKLOAD_METRICS, ZONES } from "@tidemark/testing/workload";
import type { Benchmark, Figure } from "../figure.ts";
import { median } from "../harness/statistics.ts";
import { renderTable } from "../table.ts";

const ROUNDS = 7;

/** What each step of the counting path costs in the CPU of one event, in node: V8 is workerd's too. */
export const cpuPerEvent: Benchmark = ({ quick }) => {
  const time = (work: (event: UsageEvent, text: string) => unknown): number => nanoseconds(work, quick ? 30 : 150);
  const words = new Uint32Array(3);
  const parse = time((_, text) => JSON.parse(text));
  const check = time((event) => checkEvent(event));
  const zod = time((event) => EventSchema.safeParse(event));
  const fingerprint = time((event) => {
    hashId(event.id, words, 0);
    words[2] = hashContent(event);
    return words[0];
  });
  const evaluations = [1, 10, 200].map((count) => ({
    count,
    matching: time(evaluating(catalogOf(count, "call"))),
    other: time(evaluating(catalogOf(count, "another"))),
  }));
  const rows = [
    ["JSON.parse", parse.toFixed(0)],
    ["parseExactJson, which keeps every digit", time((_, text) => parseExactJson(text)).toFixed(0)],
    ["checkEvent", check.toFixed(0)],
    ["the same by zod (EventSchema, compiled to code, which workerd forbids)", zod.toFixed(0)],
    ["fingerprint: id and content", fingerprint.toFixed(0)],
    ...evaluations.flatMap(({ count, matching, other }) => [
      [`evaluate, ${count} metrics that match`, matching.toFixed(0)],
      [`evaluate, ${count} metrics of other events`, other.toFixed(0)],
    ]),
    ["evaluate, one with three conditions, two labels and two segments", time(evaluating(RICH)).toFixed(0)],
  ];
  console.log(`\n${renderTable(["CPU in node", "ns an event"], rows)}`);
  const [one, , many] = evaluations;
  return Promise.resolve([
    against("CPU: checkEvent, held against zod", check, zod),
    against("CPU: fingerprint, held against JSON.parse", fingerprint, parse),
    against("CPU: 200 metrics of other events, held against 1", many?.other ?? NaN, one?.other ?? NaN),
  ]);
};

function against(name: string, ours: number, rival: number): Figure {
  return { name, ours: `${ours.toFixed(0)} ns`, rival: `${rival.toFixed(0)} ns`, ratio: ours / rival };
}

/** A metric that uses everything a definition has. */
const RICH = compileCatalog([
  metricOf({
    aggregation: "sum",
    value_property: "units",
    group_by: ["zone", "plan.name"],
    filters: {
      and: [
        { property: "units", op: "gte", value: 0 },
        {
          or: [
            { property: "zone", op: "in", value: [...ZONES] },
            { property: "zone", op: "not_exists" },
          ],
        },
      ],
    },
    segments: [
      { name: "EU", filters: { and: [{ property: "zone", op: "starts_with", value: "eu" }] } },
      { name: "Large", filters: { and: [{ property: "units", op: "gt", value: "100" }] } },
    ],
  }),
]);

/** As many metrics as asked for, the five of the workload over and over, which listen to one event. */
function catalogOf(count: number, event: string): Catalog {
  const metrics = Array.from({ length: count }, (_, index): Metric => {
    const metric = WORKLOAD_METRICS[index % WORKLOAD_METRICS.length];
    if (metric === undefined) throw new Error("The workload has no metrics.");
    return metricOf({ ...metric, id: `m-${index}`, counter_id: `m-${index}`, event_matchers: [{ event }] });
  });
  return compileCatalog(metrics);
}

function evaluating(catalog: Catalog): (event: UsageEvent) => number {
  return (event) => {
    let counted = 0;
    for (const metric of catalog.get(event.event) ?? [])
      if (evaluate(metric, event, Number(event.timestamp)).kind === "counted") counted++;
    return counted;
  };
}

/** The median over some rounds, each of a thousand events again and again until the time is up. */
function nanoseconds(work: (event: UsageEvent, text: string) => unknown, roundMs: number): number {
  const workload = new Workload({ seed: 1, customers: 10_000 });
  const texts = Array.from({ length: 1_000 }, () => workload.next());
  const events = texts.map((text) => JSON.parse(text) as UsageEvent);
  let kept: unknown;
  const round = (): number => {
    let done = 0;
    const startedAt = performance.now();
    while (performance.now() - startedAt < roundMs) {
      for (let i = 0; i < texts.length; i++) kept = work(events[i] as UsageEvent, texts[i] ?? "");
      done += texts.length;
    }
    return ((performance.now() - startedAt) * 1e6) / done;
  };
  const rounds = Array.from({ length: ROUNDS }, round);
  // What is computed must be used, or the compiler leaves it out.
  if (kept === round) throw new Error("Nothing was computed.");
  return median(rounds.slice(1));
}
