import { createExecutionContext, createMessageBatch, getQueueResult } from "cloudflare:test";
import { env } from "cloudflare:workers";
import type { Notice, NoticeKind, NotificationMessage } from "@tidemark/contract";
import { insertDestination } from "@tidemark/db/destinations";
import { insertNotices } from "@tidemark/db/notices";
import { seal } from "@tidemark/http/seal";
import { vi } from "vitest";
import type { ConsumerEnv } from "../src/env.ts";
import { consumeNotifications } from "../src/notify/consume-notifications.ts";

/** Something that was posted to the outside world. */
export interface Posted {
  readonly at: number;
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
  readonly redirect: string | undefined;
}

let projects = 0;

interface Queued {
  readonly id: string;
  readonly body: string;
  attempts: number;
  dueAt: number;
}

/**
 * The notification queue, the clock and the outside world in the hands of a test; the handlers and the database are
 * the real ones. The clock stands still but for `advance`.
 */
export class PostOffice {
  readonly project: string;
  readonly posted: Posted[] = [];
  /** The longest that a message was to be kept back. */
  longestDelay = 0;
  /** How the outside world answers. */
  answer: (posted: Posted) => Response | Promise<Response> = () => new Response("ok");
  env: ConsumerEnv;
  now: number;
  #queued: Queued[] = [];

  /** A post office of its own for a test, in a database without a destination. */
  static async open(now: number): Promise<PostOffice> {
    const tables = ["deliveries", "destinations", "notices"];
    await env.DB.batch(tables.map((table) => env.DB.prepare(`DELETE FROM ${table}`)));
    return new PostOffice(`post-${++projects}`, now);
  }

  private constructor(project: string, now: number) {
    this.project = project;
    this.now = now;
    vi.useFakeTimers({ toFake: ["Date"], now });
    vi.spyOn(Math, "random").mockReturnValue(0);
    vi.stubGlobal("fetch", (url: string, init: RequestInit) => this.#fetch(url, init));
    const send = async (body: string, options?: QueueSendOptions): Promise<void> => {
      this.send(body, options?.delaySeconds ?? 0);
    };
    this.env = { ...env, NOTIFICATIONS: { send } } as unknown as ConsumerEnv;
  }

  /** Gives the clock and the outside world back. */
  close(): void {
    vi.useRealTimers();
    vi.unstubAllGlobals();
    vi.restoreAllMocks();
  }

  get backlog(): readonly NotificationMessage[] {
    return this.#queued.map(({ body }) => JSON.parse(body) as NotificationMessage);
  }

  send(body: string | NotificationMessage, delaySeconds = 0): void {
    this.longestDelay = Math.max(this.longestDelay, delaySeconds);
    const text = typeof body === "string" ? body : JSON.stringify(body);
    this.#queued.push({ id: crypto.randomUUID(), body: text, attempts: 1, dueAt: this.now + delaySeconds * 1_000 });
  }

  /** Loses what the queue holds. */
  forget(): void {
    this.#queued = [];
  }

  /** Moves the clock from message to message, delivering what is due. */
  async advance(milliseconds: number): Promise<void> {
    const end = this.now + milliseconds;
    for (;;) {
      const next = Math.min(...this.#queued.map(({ dueAt }) => dueAt));
      if (next > end) break;
      this.moveTo(Math.max(this.now, next));
      await this.#deliver();
    }
    this.moveTo(end);
  }

  moveTo(now: number): void {
    this.now = now;
    vi.setSystemTime(now);
  }

  async #deliver(): Promise<void> {
    const due = this.#queued.filter(({ dueAt }) => dueAt <= this.now).slice(0, 10);
    // Nobody else is given what somebody works on.
    for (const message of due) message.dueAt = Infinity;
    const batch = createMessageBatch<string>(
      "tidemark-notifications",
      due.map(({ id, body, attempts }) => ({ id, body, attempts, timestamp: new Date(this.now) })),
    );
    await consumeNotifications(batch, this.env);
    const { explicitAcks } = await getQueueResult(batch, createExecutionContext());
    this.#queued = this.#queued.filter(({ id }) => !explicitAcks.includes(id));
    for (const message of due) {
      message.attempts++;
      message.dueAt = this.now + 1_000;
    }
  }

  async #fetch(url: string, { headers, body, redirect }: RequestInit): Promise<Response> {
    const posted = {
      at: this.now,
      url,
      headers: headers as Record<string, string>,
      body: String(body),
      redirect: redirect ?? undefined,
    };
    this.posted.push(posted);
    return this.answer(posted);
  }

  /** Makes a destination with a secret of its own. */
  async destination(
    id: string,
    { kind = "webhook", url = `https://${id}.acme.com/`, wants = null, pepper = this.env.KEY_PEPPER }: Wish = {},
  ): Promise<void> {
    const secrets = JSON.stringify([{ secret: SECRET, expires_at: null }]);
    const row = {
      project_id: this.project,
      id,
      kind,
      name: id,
      url: await seal(url, pepper, [this.project, id, "url"]),
      shown_url: url,
      secrets: kind === "slack" ? null : await seal(secrets, pepper, [this.project, id, "secrets"]),
      wants: wants === null ? null : JSON.stringify(wants),
      next_at: 0,
      failing_since: null,
      disabled_at: null,
      disabled_reason: null,
      enabled_at: this.now,
      created_at: this.now,
      updated_at: this.now,
    };
    await insertDestination(env.DB, row, 20);
  }

  /** Of somebody who came to a threshold. */
  crossing(id: string, metric = "calls"): Notice {
    const body = {
      threshold_id: "thr_1",
      version: 1,
      name: null,
      operator: ">=",
      line: "80 %",
      metric,
      value: "801",
      allowance: "1000",
      cycle: { start: "2031-11-01T00:00:00Z", end: "2031-12-01T00:00:00Z" },
    };
    return { id, kind: "threshold_crossed", metric_id: "m", at: this.now, body: JSON.stringify(body) };
  }

  /** Of a week in which nothing happened. */
  digest(id: string): Notice {
    const nobody = { count: 0, rows: [] };
    const body = {
      digest_id: id,
      digest: "Monday",
      metric: "calls",
      name: "Calls",
      unit: "calls",
      period: { from: "2031-11-10", to: "2031-11-16" },
      time_zone: "UTC",
      as_of: "2031-11-17T09:00:00Z",
      approximate: false,
      total: { value: "1", previous: "1", change: "0" },
      grew: nobody,
      dropped: nobody,
      went_quiet: nobody,
      near_limits: { ...nobody, unanswered: 0, more: false },
    };
    return { id, kind: "digest", metric_id: "m", at: this.now, body: JSON.stringify(body) };
  }

  /** Keeps notices and says so to the queue, as the rollup consumer does. */
  async tell(...notices: readonly Notice[]): Promise<void> {
    await insertNotices(env.DB, this.project, "acme", notices).run();
    for (let at = 0; at < notices.length; at += 50) {
      const notice_ids = notices.slice(at, at + 50).map(({ id }) => id);
      this.send({ kind: "notify", project_id: this.project, notice_ids });
    }
  }

  async states(): Promise<readonly string[]> {
    return (await this.deliveries()).map(({ state }) => state);
  }

  /** Every delivery of the project, in the order in which they were made. */
  async deliveries(): Promise<readonly Delivery[]> {
    const { results } = await env.DB.prepare(
      "SELECT * FROM deliveries WHERE project_id = ? ORDER BY created_at, destination_id",
    )
      .bind(this.project)
      .all<Delivery>();
    return results;
  }
}

interface Wish {
  readonly kind?: "webhook" | "slack";
  readonly url?: string;
  readonly wants?: readonly NoticeKind[] | null;
  /** What it was sealed under. */
  readonly pepper?: string;
}

interface Delivery {
  readonly id: string;
  readonly destination_id: string;
  readonly notice_id: string;
  readonly state: string;
  readonly attempts: number;
  readonly next_at: number;
  readonly ended_at: number | null;
  readonly last_status: number | null;
  readonly last_latency_ms: number | null;
  readonly last_error: string | null;
}

/** The outside world, answering always the same. */
export function answering(status: number, headers: Record<string, string> = {}): () => Response {
  return () => new Response(null, { status, headers });
}

/** Of every webhook. */
export const SECRET = `whsec_${btoa("k".repeat(32))}`;
