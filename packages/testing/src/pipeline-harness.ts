import {
  createExecutionContext,
  createMessageBatch,
  getQueueResult,
  runDurableObjectAlarm,
  runInDurableObject,
} from "cloudflare:test";
import { env as bindings } from "cloudflare:workers";
import { type EventMessage, meterName } from "@tidemark/contract";
import type { UsageEvent } from "@tidemark/core";

/** A consumer Worker's environment; the harness stands between its parts and the real bindings. */
interface PipelineEnv {
  readonly DB: D1Database;
  readonly ARCHIVE: R2Bucket;
  readonly METERS: DurableObjectNamespace;
  readonly ROLLUPS: Queue<string>;
  readonly JOBS: Queue<string>;
  readonly NOTIFICATIONS: Queue<string>;
  readonly WEBHOOK_ORIGINS: string;
  readonly KEY_PEPPER: string;
  readonly FLUSH_SECONDS_MIN: string;
}

type QueueHandler = (batch: MessageBatch<string>, env: never) => Promise<void>;

interface Queued {
  readonly id: string;
  readonly queue:
    | "tidemark-events"
    | "tidemark-rollups"
    | "tidemark-dead-letters"
    | "tidemark-jobs"
    | "tidemark-notifications";
  readonly body: string;
  readonly timestamp: Date;
  attempts: number;
  dueAt: number;
}

/** What goes wrong, asked at each step; everything works when left alone. */
export interface Faults {
  /** Called with the name of each step: throw to make it fail. */
  readonly before?: (
    step: "catalog" | "apply" | "archive" | "rollup" | "job" | "notification" | "compare" | "d1",
  ) => void;
  /** Called when a meter has committed: throw to lose its answer. */
  readonly afterApply?: (customerId: string) => void;
  /** Called when a job has entered archived events in a meter. */
  readonly afterRecount?: () => Promise<void>;
  /** Whether the acks of a delivery are lost, so that all of it comes again. */
  readonly losesAcks?: () => boolean;
}

/**
 * The counting path with queues of its own: real handlers, real meters, real D1 and R2 in workerd, but
 * the test decides what is delivered, when, how often, and what fails on the way.
 */
export class PipelineHarness {
  readonly env: PipelineEnv;
  faults: Faults = {};
  #now: number;
  readonly #tell: (now: number) => void;
  readonly #handler: QueueHandler;
  readonly #queued: Queued[] = [];
  readonly #customers = new Map<string, { readonly projectId: string; readonly customerId: string }>();

  /** @param tell the clock that the handlers read themselves, in milliseconds: whenever the harness's moves. */
  constructor(handler: QueueHandler, now: number, tell: (now: number) => void = () => {}) {
    this.#handler = handler;
    this.#now = now;
    this.#tell = tell;
    tell(now);
    this.env = {
      FLUSH_SECONDS_MIN: "20",
      WEBHOOK_ORIGINS: bindings.WEBHOOK_ORIGINS,
      KEY_PEPPER: bindings.KEY_PEPPER,
      DB: intercept(bindings.DB, {
        prepare: () => this.faults.before?.("catalog"),
        batch: () => this.faults.before?.("d1"),
      }),
      ARCHIVE: intercept(bindings.ARCHIVE, { put: () => this.faults.before?.("archive") }),
      METERS: this.#meters(),
      ROLLUPS: this.#queue("tidemark-rollups", () => this.faults.before?.("rollup")),
      JOBS: this.#queue("tidemark-jobs", () => this.faults.before?.("job")),
      NOTIFICATIONS: this.#queue("tidemark-notifications", () => this.faults.before?.("notification")),
    };
  }

  get now(): number {
    return this.#now;
  }

  set now(now: number) {
    this.#now = now;
    this.#tell(now);
  }

  /** Messages that wait, of all queues. */
  get backlog(): number {
    return this.#queued.length;
  }

  /** Puts an event message on the queue, as ingest does. */
  send(projectId: string, events: readonly UsageEvent[], receivedAt = this.now): void {
    const message: EventMessage = { v: 1, project_id: projectId, received_at: receivedAt, events };
    this.push("tidemark-events", JSON.stringify(message));
  }

  push(queue: Queued["queue"], body: string): void {
    this.#queued.push({
      id: crypto.randomUUID(),
      queue,
      body,
      timestamp: new Date(this.now),
      attempts: 1,
      dueAt: this.now,
    });
  }

  /** What waits in a queue. */
  waiting(queue: Queued["queue"]): readonly string[] {
    return this.#queued.filter((queued) => queued.queue === queue).map(({ body }) => body);
  }

  /** Loses what a queue holds. */
  drop(queue: Queued["queue"]): void {
    for (const message of this.#queued.filter((queued) => queued.queue === queue))
      this.#queued.splice(this.#queued.indexOf(message), 1);
  }

  /** Delivers what is due of one queue, in the order that `shuffle` gives, as one batch. */
  async deliver(
    queue: Queued["queue"],
    shuffle: (messages: readonly Queued[]) => readonly Queued[] = (all) => all,
  ): Promise<void> {
    const due = shuffle(this.#queued.filter((message) => message.queue === queue && message.dueAt <= this.now)).slice(
      0,
      100,
    );
    if (due.length === 0) return;
    const batch = createMessageBatch<string>(
      queue,
      due.map(({ id, body, timestamp, attempts }) => ({ id, body, timestamp, attempts })),
    );
    const retried = new Map<string, number>();
    for (const message of batch.messages) {
      const retry = message.retry.bind(message);
      message.retry = (options) => {
        retried.set(message.id, options?.delaySeconds ?? 0);
        retry(options);
      };
    }
    await this.#handler(batch, this.env as never);
    const result = await getQueueResult(batch, createExecutionContext());
    if (this.faults.losesAcks?.() === true) return;
    for (const message of due) {
      if (result.explicitAcks.includes(message.id) || result.ackAll)
        this.#queued.splice(this.#queued.indexOf(message), 1);
      else this.#retry(message, retried.get(message.id) ?? 0);
    }
  }

  /** Moves the clock, delivers everything that is due, and runs the alarms that are. */
  async advance(milliseconds: number, stepMs = 1_000): Promise<void> {
    const end = this.now + milliseconds;
    for (;;) {
      await this.settle();
      if (this.now >= end) return;
      this.now = Math.min(this.now + stepMs, end);
    }
  }

  /** Delivers and rings what is due now, until nothing is; but for notifications, which go out into the world. */
  async settle(): Promise<void> {
    for (const queue of ["tidemark-events", "tidemark-jobs", "tidemark-rollups", "tidemark-dead-letters"] as const)
      await this.deliver(queue);
    for (const { projectId, customerId } of this.#customers.values()) {
      const stub = this.#stub(projectId, customerId);
      const due = await runInDurableObject(stub, async (instance, state) => {
        Object.assign(instance, { env: this.env });
        const at = await state.storage.getAlarm();
        return at !== null && at <= this.now;
      });
      if (due) await runDurableObjectAlarm(stub);
    }
  }

  /** Takes a meter's alarm away, as the platform does after seven failures. */
  async killAlarm(projectId: string, customerId: string): Promise<void> {
    await runInDurableObject(this.#stub(projectId, customerId), (_, state) => state.storage.deleteAlarm());
  }

  #retry(message: Queued, delaySeconds: number): void {
    message.attempts++;
    message.dueAt = this.now + delaySeconds * 1000;
    if (message.attempts <= 101) return;
    this.#queued.splice(this.#queued.indexOf(message), 1);
    this.push("tidemark-dead-letters", message.body);
  }

  #stub(projectId: string, customerId: string): DurableObjectStub {
    return bindings.METERS.get(bindings.METERS.idFromName(meterName(projectId, customerId)));
  }

  #queue(queue: Queued["queue"], announce: () => void): Queue<string> {
    return {
      metrics: () => bindings.ROLLUPS.metrics(),
      send: async (body) => {
        announce();
        this.push(queue, body);
        return { metadata: { metrics: { backlogCount: 0, backlogBytes: 0 } } };
      },
      sendBatch: () => Promise.reject(new Error("not used")),
    };
  }

  /** The real namespace, except that each call passes the faults and the object sends to our queue. */
  #meters(): DurableObjectNamespace {
    const call = async (
      method: "apply" | "flush" | "recount" | "compare" | "closeBooks",
      ...args: readonly [request: { project_id: string; customer_id: string }, ...rest: readonly unknown[]]
    ): Promise<unknown> => {
      const { project_id: projectId, customer_id: customerId } = args[0];
      this.#customers.set(meterName(projectId, customerId), { projectId, customerId });
      if (method === "apply") this.faults.before?.("apply");
      if (method === "recount" || method === "closeBooks") this.faults.before?.("job");
      if (method === "compare") this.faults.before?.("compare");
      // The structured clone is what a remote call does to its arguments.
      const sent = structuredClone(args);
      const reply = await runInDurableObject(this.#stub(projectId, customerId), async (instance) => {
        Object.assign(instance, { env: this.env });
        const methods = instance as unknown as Record<string, (...sent: readonly unknown[]) => Promise<unknown>>;
        return methods[method]?.(...sent);
      });
      if (method === "apply" || method === "flush") this.faults.afterApply?.(customerId);
      if (method === "recount") await this.faults.afterRecount?.();
      return reply;
    };
    const get = (): unknown => ({
      apply: (request: never) => call("apply", request),
      flush: (request: never) => call("flush", request),
      recount: (request: never) => call("recount", request),
      compare: (address: never, jobId: string) => call("compare", address, jobId),
      closeBooks: (address: never, jobId: string, replace: boolean) => call("closeBooks", address, jobId, replace),
    });
    return new Proxy(bindings.METERS, {
      get: (target, name: "get" | "idFromName") => (name === "get" ? get : target[name].bind(target)),
    });
  }
}

/** An object whose named methods are announced before they run. */
function intercept<Target extends object>(target: Target, announce: Readonly<Record<string, () => void>>): Target {
  return new Proxy(target, {
    get(object, name) {
      const value: unknown = Reflect.get(object, name);
      if (typeof value !== "function") return value;
      return (...args: unknown[]) => {
        announce[String(name)]?.();
        return Reflect.apply(value, object, args) as unknown;
      };
    },
  });
}
