// oxlint-disable-next-line no-restricted-imports -- Only the type of the environment.
import type { ConsumerEnv } from "@tidemark/consumer";
import { type ApplyReply, type ApplyRequest, meterName } from "@tidemark/contract";
import { DAY_MS, dayOf, hashId } from "@tidemark/core";
import { counts, takeCounts } from "../counting/counts.ts";
import { PROJECT_ID } from "../harness/project.ts";
import { type FillOrder, type FillReply, idAt } from "./fill.ts";

export { CustomerMeter } from "../counting/counted-meter.ts";

const CUSTOMER_ID = "whale";

/** Calls one customer's meter with the ids it is told to: the memory of ids, without what stands before it. */
export default {
  async fetch(request, env) {
    if (request.method === "GET") return Response.json(takeCounts());
    const { positions } = await request.json<FillOrder>();
    const meter = env.METERS.get(env.METERS.idFromName(meterName(PROJECT_ID, CUSTOMER_ID)));
    const rowsBefore = counts.callRows;
    const { fresh, duplicates }: ApplyReply = await meter.apply(toRequest(positions));
    return Response.json({ fresh, duplicates, rows: counts.callRows - rowsBefore } satisfies FillReply);
  },
  /** What the meter flushes is of no interest here. */
  queue(batch) {
    batch.ackAll();
  },
} satisfies ExportedHandler<ConsumerEnv, string>;

/** One event for each id, all of yesterday, all counted by one metric. */
function toRequest(positions: readonly number[]): ApplyRequest {
  const fingerprints = new Uint32Array(3 * positions.length);
  positions.forEach((position, index) => {
    hashId(idAt(position), fingerprints, 3 * index);
    fingerprints[3 * index + 2] = 1;
  });
  return {
    project_id: PROJECT_ID,
    customer_id: CUSTOMER_ID,
    fingerprints,
    instants: new Float64Array(positions.length).fill((dayOf(Date.now()) - 1) * DAY_MS),
    catalog_version: 1,
    series: [{ metric_id: "m-calls", aggregation: "count", labels: [], segments: 0 }],
    matches: Uint32Array.from({ length: 2 * positions.length }, (_, index) => (index % 2 === 0 ? index / 2 : 0)),
    values: new Float64Array(positions.length).fill(1),
    large: [],
    rejected: [],
    recent: [],
  };
}
