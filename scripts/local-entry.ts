import standalone, { CustomerMeter as Meter, type Env } from "../workers/standalone/src/index.ts";

/**
 * The standalone Worker as it runs locally. The local queue lives in memory, so this entry keeps count
 * of what is in it: a stop can wait until it is empty, and what waits for another attempt is handed to
 * the runner, which sends it again at the next start.
 */
interface LocalEnv extends Env {
  /** Guards the runner's own routes. */
  readonly LOCAL_TOKEN: string;
}

interface Waiting {
  readonly queue: "EVENTS" | "ROLLUPS" | "JOBS" | "NOTIFICATIONS";
  readonly body: string;
}

const QUEUES: Readonly<Record<string, Waiting["queue"]>> = {
  "tidemark-rollups": "ROLLUPS",
  "tidemark-jobs": "JOBS",
  "tidemark-notifications": "NOTIFICATIONS",
};

const state = { sent: 0, taken: 0, inHand: 0, draining: false };
/** Messages that are to come later, by their text: a stop does not wait for them, and what they stand for is in D1. */
const delayed = new Set<string>();
/** Messages that failed and wait in the queue for another attempt, by id. */
const waiting = new Map<string, Waiting>();

function counted(queue: Queue<string>): Queue<string> {
  return {
    metrics: () => queue.metrics(),
    send: (body, options) => {
      if ((options?.delaySeconds ?? 0) > 0) delayed.add(body);
      else state.sent++;
      return queue.send(body, options);
    },
    sendBatch: (messages, options) => {
      const batch = [...messages];
      state.sent += batch.length;
      return queue.sendBatch(batch, options);
    },
  };
}

function withCount<E extends Env>(env: E): E {
  return {
    ...env,
    EVENTS: counted(env.EVENTS),
    ROLLUPS: counted(env.ROLLUPS),
    JOBS: counted(env.JOBS),
    NOTIFICATIONS: counted(env.NOTIFICATIONS),
  };
}

export class CustomerMeter extends Meter {
  constructor(context: DurableObjectState, env: LocalEnv) {
    super(context, withCount(env));
  }
}

function observed(message: Message<string>, queue: Waiting["queue"]): Message<string> {
  return {
    id: message.id,
    timestamp: message.timestamp,
    body: message.body,
    attempts: message.attempts,
    ack: () => {
      waiting.delete(message.id);
      message.ack();
    },
    retry: (options) => {
      waiting.set(message.id, { queue, body: message.body });
      message.retry(options);
    },
  };
}

export default {
  async fetch(request, env, context) {
    const { pathname } = new URL(request.url);
    if (pathname.startsWith("/__local/") && request.headers.get("x-local-token") === env.LOCAL_TOKEN) {
      if (pathname === "/__local/drain") state.draining = true;
      return Response.json({ queued: state.sent - state.taken, in_hand: state.inHand, waiting: [...waiting.values()] });
    }
    if (state.draining) return new Response("stopping\n", { status: 503, headers: { "retry-after": "5" } });
    return standalone.fetch(request, withCount(env), context);
  },

  async queue(batch, env) {
    const queue = QUEUES[batch.queue] ?? "EVENTS";
    const messages = batch.messages.map((message) => observed(message, queue));
    state.taken += messages.filter(({ id, body }) => !waiting.has(id) && !delayed.delete(body)).length;
    // A job goes on at the next start.
    if (state.draining && queue === "JOBS") return;
    state.inHand++;
    try {
      await standalone.queue(
        {
          ...batch,
          queue: batch.queue,
          messages,
          ackAll: () => batch.ackAll(),
          retryAll: (options) => batch.retryAll(options),
          metadata: batch.metadata,
        },
        withCount(env),
      );
    } finally {
      state.inHand--;
    }
  },

  scheduled: (controller, env, context) => standalone.scheduled(controller, withCount(env), context),
} satisfies ExportedHandler<LocalEnv, string>;
