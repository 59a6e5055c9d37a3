import { DurableObject } from "cloudflare:workers";
import {
  type ApplyReply,
  type ApplyRequest,
  type BalancesReply,
  type CompareReply,
  type CyclesRequest,
  type DecideReply,
  type DecideRequest,
  type DecisionsRequest,
  type DefineReply,
  type DefineRequest,
  type FinalCycle,
  MEMORY_DAYS,
  type MeterAddress,
  type MeteredMetric,
  type MeterRpc,
  type ReadReply,
  type ReadRequest,
  type RecentEvent,
  type RecountReply,
  type RecountRequest,
  type RememberedDecision,
} from "@tidemark/contract";
import { dayOf } from "@tidemark/core";
import type { ConsumerEnv } from "../env.ts";
import { Meter } from "./meter.ts";
import { rememberedOf } from "./quota/remembered-of.ts";
import { migrate } from "./schema.ts";
import { sendOutbox } from "./send-outbox.ts";

/** After a flush that failed; the rows wait in the meter. */
const FLUSH_RETRY_MS = 60_000;

/**
 * One customer of one project: the object that counts. It can hibernate after every call, every change
 * is one synchronous transaction, and only the outbox touches the network.
 */
export class CustomerMeter extends DurableObject<ConsumerEnv> implements MeterRpc {
  #meter: Meter | undefined;
  #waiting: Waiting[] = [];

  constructor(ctx: DurableObjectState, env: ConsumerEnv) {
    super(ctx, env);
    migrate(ctx.storage);
  }

  async apply(request: ApplyRequest): Promise<ApplyReply> {
    const now = Date.now();
    const { reply, alarmAt } = this.#transact((sql) =>
      this.#open(sql, request, now).apply(request, now, this.#flushIntervalMs()),
    );
    if (alarmAt !== null) this.#setAlarm(alarmAt);
    return reply;
  }

  async read(request: ReadRequest): Promise<ReadReply> {
    const now = Date.now();
    return { as_of: now, days: this.#transact((sql) => this.#open(sql, request, now).read(request)) };
  }

  async recent(address: MeterAddress): Promise<readonly RecentEvent[]> {
    return this.#transact((sql) => this.#open(sql, address, Date.now()).recent());
  }

  async recount(request: RecountRequest): Promise<RecountReply> {
    const now = Date.now();
    return this.#transact((sql) => this.#open(sql, request, now).recount(request, now));
  }

  async compare(address: MeterAddress, jobId: string): Promise<CompareReply> {
    return this.#transact((sql) => this.#open(sql, address, Date.now()).compare(jobId));
  }

  async closeBooks(address: MeterAddress, jobId: string, replace: boolean): Promise<ApplyReply["watch"]> {
    const now = Date.now();
    const { watch, alarmAt } = this.#transact((sql) => this.#open(sql, address, now).closeBooks(jobId, replace, now));
    if (alarmAt !== null) this.#setAlarm(alarmAt);
    return watch;
  }

  /** Decisions that come while one is being made are made and committed with it; no answer leaves before. */
  async decide(request: DecideRequest): Promise<DecideReply> {
    const { promise, resolve, reject } = Promise.withResolvers<DecideReply>();
    this.#waiting.push({ request, resolve, reject });
    if (this.#waiting.length === 1) {
      try {
        // Until what was written before is on disk, which takes no time when nothing was: the others come meanwhile.
        // A timer would take a millisecond, and anything that closes the input gate would keep them out.
        await this.ctx.storage.sync();
      } finally {
        this.#decideWaiting();
      }
    }
    return promise;
  }

  #decideWaiting(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    try {
      const replies = this.#decideAll(waiting.map(({ request }) => request));
      waiting.forEach(({ resolve }, index) => {
        const reply = replies[index];
        if (reply !== undefined) resolve(reply);
      });
    } catch (error) {
      // One that cannot be decided must not take the others with it.
      if (waiting.length > 1) for (const one of waiting) this.#decideAlone(one);
      else for (const { reject } of waiting) reject(toError(error));
    }
  }

  #decideAlone({ request, resolve, reject }: Waiting): void {
    try {
      const [reply] = this.#decideAll([request]);
      if (reply !== undefined) resolve(reply);
    } catch (error) {
      reject(toError(error));
    }
  }

  #decideAll(requests: readonly DecideRequest[]): readonly DecideReply[] {
    const [first] = requests;
    if (first === undefined) return [];
    const now = Date.now();
    const { replies, alarmAt } = this.#transact((sql) => {
      for (const request of requests) this.#open(sql, request, now);
      return this.#open(sql, first, now).decide(requests, now, this.#flushIntervalMs());
    });
    if (alarmAt !== null) this.#setAlarm(alarmAt);
    return replies;
  }

  async define(request: DefineRequest): Promise<DefineReply> {
    const now = Date.now();
    const { reply, alarmAt } = this.#transact((sql) =>
      this.#open(sql, request, now).define(request, now, this.#flushIntervalMs()),
    );
    if (alarmAt !== null) this.#setAlarm(alarmAt);
    return reply;
  }

  async learn(
    address: MeterAddress,
    told: readonly MeteredMetric[],
    asked: readonly string[] = [],
    catalogVersion = 0,
  ): Promise<void> {
    this.#transact((sql) => {
      this.#open(sql, address, Date.now()).learn(told, asked, catalogVersion);
    });
  }

  async balances(address: MeterAddress): Promise<BalancesReply> {
    const now = Date.now();
    return this.#refreshed(address, now, (meter) => ({
      as_of: now,
      is_known: meter.isKnown,
      ...meter.quotas.describe(now),
    }));
  }

  async cycles(request: CyclesRequest): Promise<readonly FinalCycle[]> {
    const now = Date.now();
    return this.#refreshed(request, now, (meter) => meter.quotas.balances.cycles(request));
  }

  /** Reads what stands now. What was crossed on the way is handed over. */
  #refreshed<Result>(address: MeterAddress, now: number, read: (meter: Meter) => Result): Result {
    const { result, alarmAt } = this.#transact((sql) => {
      const meter = this.#open(sql, address, now);
      return { alarmAt: meter.refresh(now), result: read(meter) };
    });
    if (alarmAt !== null) this.#setAlarm(alarmAt);
    return result;
  }

  async decisions(request: DecisionsRequest): Promise<readonly RememberedDecision[]> {
    return this.#transact((sql) => rememberedOf(this.#open(sql, request, Date.now()).quotas, request));
  }

  async flush(address: MeterAddress): Promise<void> {
    this.#transact((sql) => this.#open(sql, address, Date.now()));
    await this.#flush();
  }

  /** Never throws: an alarm that throws is tried seven times within minutes and then gone for good. */
  override async alarm(): Promise<void> {
    try {
      await this.#flush();
    } catch (error) {
      console.error(JSON.stringify({ at: "meter-alarm", error: String(error) }));
      this.#meter = undefined;
      this.#setAlarm(Date.now() + FLUSH_RETRY_MS);
    }
  }

  async #flush(): Promise<void> {
    const outbox = this.#transact((sql) => {
      const meter = (this.#meter ??= Meter.load(sql));
      return meter === undefined ? undefined : { address: meter.address, ...meter.flushing.outbox() };
    });
    if (outbox === undefined) return;
    await sendOutbox(this.env, outbox.address, outbox);

    const now = Date.now();
    const next = this.#transact((sql) => {
      const meter = this.#open(sql, outbox.address, now);
      meter.flushing.markSent(outbox, now);
      const isUntidy = meter.tidy(dayOf(now) - MEMORY_DAYS, now);
      return meter.flushing.planNext(isUntidy, now, this.#flushIntervalMs());
    });
    if (next !== null) this.#setAlarm(next);
  }

  /** The customer's meter, from memory, from disk, or new. @throws Error when the object belongs to another customer. */
  #open(sql: SqlStorage, address: MeterAddress, now: number): Meter {
    const meter = (this.#meter ??= Meter.load(sql) ?? Meter.create(sql, address, now));
    const { project_id, customer_id } = meter.address;
    if (project_id !== address.project_id || customer_id !== address.customer_id)
      throw new Error("This meter belongs to another customer.");
    return meter;
  }

  /** Runs `work` in one transaction. What is in memory is only trusted while every transaction succeeds. */
  #transact<Result>(work: (sql: SqlStorage) => Result): Result {
    try {
      return this.ctx.storage.transactionSync(() => work(this.ctx.storage.sql));
    } catch (error) {
      this.#meter = undefined;
      throw error;
    }
  }

  /** Commits together with the transaction before it, because nothing was awaited in between. */
  #setAlarm(at: number): void {
    void this.ctx.storage.setAlarm(at);
  }

  #flushIntervalMs(): number {
    return Number(this.env.FLUSH_SECONDS_MIN) * 1000;
  }
}

/** A decision that somebody waits for. */
interface Waiting {
  readonly request: DecideRequest;
  readonly resolve: (reply: DecideReply) => void;
  readonly reject: (error: Error) => void;
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}
