import { DurableObject } from "cloudflare:workers";
import {
  type ApplyReply,
  type ApplyRequest,
  type CompareReply,
  MEMORY_DAYS,
  type MeterAddress,
  type MeterRpc,
  type ReadReply,
  type ReadRequest,
  type RecentEvent,
  type RecountReply,
  type RecountRequest,
} from "@tidemark/contract";
import { dayOf } from "@tidemark/core";
import type { ConsumerEnv } from "../env.ts";
import { Meter } from "./meter.ts";
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
    return this.#transact((sql) => this.#open(sql, request, Date.now()).recount(request));
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
      return meter === undefined ? undefined : { address: meter.address, ...meter.outbox() };
    });
    if (outbox === undefined) return;
    await sendOutbox(this.env, outbox.address, outbox.days);

    const now = Date.now();
    const next = this.#transact((sql) => {
      const meter = this.#open(sql, outbox.address, now);
      meter.markSent(outbox, now);
      return meter.nextAlarm(meter.tidy(dayOf(now) - MEMORY_DAYS), now, this.#flushIntervalMs());
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
