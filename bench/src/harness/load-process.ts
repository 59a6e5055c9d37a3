import { ROUND_AT, ROUND_DIGITS, roundText, Workload } from "@tidemark/testing/workload";
import { answerParent } from "./child.ts";
import { HttpConnection } from "./http-connection.ts";
import type { LoadCommand, LoadOrder, LoadPlan, LoadResult } from "./load-plan.ts";
import { percentile } from "./statistics.ts";

// The process that makes the load: forked, so that it competes with the server only for the machine.

/** A request's body, then the whole request, as it goes over the wire, and where the rounds of its events' ids stand in it. */
interface Prepared {
  readonly bytes: Buffer;
  readonly roundsAt: readonly number[];
}

let path = "";
let prepared: readonly Prepared[] = [];

answerParent(async (asked): Promise<LoadResult | null> => {
  const command = asked as LoadCommand;
  if ("order" in command) return send(command.order);
  const { plan } = command;
  path = "path" in plan ? plan.path : "/v1/events";
  prepared = toTexts(plan).map(prepare);
  return null;
});

function toTexts(plan: LoadPlan): readonly string[] {
  if ("path" in plan) return plan.bodies;
  const { workload, batch, bodies: count, oneOfEach } = plan;
  const stream = new Workload(workload);
  if (oneOfEach === true) return inBatches(stream.makeOneOfEach(), batch);
  return Array.from({ length: count }, () => stream.nextBody(batch));
}

function prepare(text: string): Prepared {
  return { bytes: Buffer.from(text), roundsAt: findRounds(text) };
}

function inBatches(events: readonly string[], size: number): readonly string[] {
  return Array.from(
    { length: Math.ceil(events.length / size) },
    (_, batch) => `[${events.slice(batch * size, (batch + 1) * size).join(",")}]`,
  );
}

function findRounds(body: string): readonly number[] {
  const at: number[] = [];
  for (let from = body.indexOf('{"id":"'); from >= 0; from = body.indexOf('{"id":"', from + 1))
    at.push(from + ROUND_AT);
  return at;
}

async function send(order: LoadOrder): Promise<LoadResult> {
  const { yes = "" } = order;
  const requests = prepared.slice(...(order.range ?? [])).map((body) => withHead(body, order));
  const connections = await Promise.all(
    Array.from({ length: order.connections }, () => HttpConnection.open(order.port)),
  );
  const milliseconds: number[] = [];
  let refused = 0;
  let allowed = 0;
  const startedAt = performance.now();
  const endAt = order.durationMs === null ? Infinity : startedAt + order.durationMs;

  // Each connection has bodies of its own, so that none is changed while it is on its way.
  const work = async (connection: HttpConnection, first: number): Promise<void> => {
    for (let round = order.round; ; round++) {
      for (let i = first; i < requests.length; i += connections.length) {
        const request = requests[i];
        if (request === undefined) continue;
        stamp(request, round);
        const sentAt = performance.now();
        if (sentAt > endAt) return;
        const { status, body } = await connection.send(request.bytes);
        if (status !== 200 && status !== 202) refused++;
        if (body.includes(yes)) allowed++;
        milliseconds.push(performance.now() - sentAt);
      }
      if (order.durationMs === null) return;
    }
  };
  await Promise.all(connections.map(work));
  const seconds = (performance.now() - startedAt) / 1000;
  for (const connection of connections) connection.close();
  return {
    requests: milliseconds.length,
    refused,
    allowed,
    seconds,
    p50Ms: percentile(milliseconds, 0.5),
    p99Ms: percentile(milliseconds, 0.99),
  };
}

function withHead({ bytes, roundsAt }: Prepared, { port, authorization }: LoadOrder): Prepared {
  const head = Buffer.from(
    `POST ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: ${authorization}\r\ncontent-type: application/json\r\ncontent-length: ${bytes.length}\r\n\r\n`,
  );
  return { bytes: Buffer.concat([head, bytes]), roundsAt: roundsAt.map((at) => at + head.length) };
}

/** Gives a body's events the ids of a round. */
function stamp({ bytes, roundsAt }: Prepared, round: number): void {
  const digits = Buffer.from(roundText(round), "latin1");
  for (const at of roundsAt) digits.copy(bytes, at, 0, ROUND_DIGITS);
}
