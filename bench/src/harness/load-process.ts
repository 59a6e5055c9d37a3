import { ROUND_AT, ROUND_DIGITS, roundText, Workload } from "@tidemark/testing/workload";
import { HttpConnection } from "./http-connection.ts";
import type { LoadCommand, LoadOrder, LoadPlan, LoadReply, LoadResult } from "./load-plan.ts";
import { percentile } from "./statistics.ts";

// The process that makes the load: forked, so that it competes with the server only for the machine.

/** A body as it goes over the wire, and where the rounds of its events' ids stand in it. */
interface PreparedBody {
  readonly bytes: Buffer;
  readonly roundsAt: readonly number[];
}

let bodies: readonly PreparedBody[] = [];

process.on("message", (command: LoadCommand) => {
  void answer(command).then((reply) => process.send?.(reply));
});
process.on("disconnect", () => process.exit());

async function answer(command: LoadCommand): Promise<LoadReply> {
  try {
    if ("plan" in command) {
      bodies = prepare(command.plan);
      return { prepared: true };
    }
    return { result: await send(command.order) };
  } catch (error) {
    return { error: String(error) };
  }
}

function prepare({ workload, batch, bodies: count, oneOfEach }: LoadPlan): readonly PreparedBody[] {
  const stream = new Workload(workload);
  const texts =
    oneOfEach === true
      ? inBatches(stream.makeOneOfEach(), batch)
      : Array.from({ length: count }, () => stream.nextBody(batch));
  return texts.map((text) => ({ bytes: Buffer.from(text), roundsAt: findRounds(text) }));
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
  const requests = bodies.slice(...(order.range ?? [])).map((body) => withHead(body, order));
  const connections = await Promise.all(
    Array.from({ length: order.connections }, () => HttpConnection.open(order.port)),
  );
  const milliseconds: number[] = [];
  let refused = 0;
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
        if ((await connection.send(request.bytes)) !== 202) refused++;
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
    seconds,
    p50Ms: percentile(milliseconds, 0.5),
    p99Ms: percentile(milliseconds, 0.99),
  };
}

function withHead({ bytes, roundsAt }: PreparedBody, { port, authorization }: LoadOrder): PreparedBody {
  const head = Buffer.from(
    `POST /v1/events HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: ${authorization}\r\ncontent-type: application/json\r\ncontent-length: ${bytes.length}\r\n\r\n`,
  );
  return { bytes: Buffer.concat([head, bytes]), roundsAt: roundsAt.map((at) => at + head.length) };
}

/** Gives a body's events the ids of a round. */
function stamp({ bytes, roundsAt }: PreparedBody, round: number): void {
  const digits = Buffer.from(roundText(round), "latin1");
  for (const at of roundsAt) digits.copy(bytes, at, 0, ROUND_DIGITS);
}
