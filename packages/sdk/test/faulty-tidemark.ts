import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Socket } from "node:net";
import { ModelMeter } from "./model-meter.ts";

/** How the server treats its next requests. */
export type Mood =
  | "well"
  /** 503, and nothing is done. */
  | "failing"
  /** No answer. */
  | "silent"
  /** The connection breaks before anything is done. */
  | "breaking"
  /** Everything is done, and the answer is lost. */
  | "losing_answers"
  /** 429 with a Retry-After of one second. */
  | "throttling"
  /** 200 with a page, as a proxy would. */
  | "html"
  /** 200 with JSON that ends in the middle. */
  | "truncated"
  /** 200 with JSON that is no answer. */
  | "nonsense"
  /** 401 as a problem. */
  | "refusing_key";

interface StoredEvent {
  readonly id: string;
  readonly event: string;
  readonly customer_id: string;
  readonly timestamp: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** A request as it came. */
export interface Received {
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  readonly text: string;
}

const JSON_TYPE = { "content-type": "application/json" };

/** A server that speaks Tidemark's API, counts by id like it, and plays its faults. */
export class FaultyTidemark implements AsyncDisposable {
  readonly received: Received[] = [];
  readonly events = new Map<string, StoredEvent>();
  readonly consumed = new Map<string, number>();
  readonly committed = new Map<string, number>();
  meter = new ModelMeter({ limit: 10_000, ttlMs: 60_000, repeatsLifetime: false, renewsExpired: false });
  mood: Mood = "well";
  /** How many requests the mood lasts. */
  moodLasts = Infinity;
  /** Bytes that a proxy in front lets through. */
  bodyBytesMax = Infinity;
  limit = 1_000_000;
  /** Whether the customer has an allowance at all. */
  isKnown = true;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #reserved = new Set<string>();

  private constructor() {
    this.#server = createServer((request, response) => void this.#serve(request, response));
    this.#server.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  static async start(): Promise<FaultyTidemark> {
    const server = new FaultyTidemark();
    await new Promise<void>((resolve) => {
      server.#server.listen(0, "127.0.0.1", resolve);
    });
    return server;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What is counted, each id once: an event that completes a consume counts no second time. */
  get counted(): number {
    const consumed = [...this.consumed.values()].reduce((sum, amount) => sum + amount, 0);
    return consumed + [...this.events.keys()].filter((id) => !this.consumed.has(id)).length;
  }

  receivedAt(path: string): readonly Received[] {
    return this.received.filter((request) => request.path === path);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise((resolve) => {
      this.#server.close(resolve);
    });
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    request.setEncoding("utf8");
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const path = request.url ?? "";
    this.received.push({ path, headers: request.headers, text });
    if (text.length > this.bodyBytesMax) return reply(response, 413, "<h1>413</h1>", { "content-type": "text/html" });
    const mood = this.moodLasts > 0 ? this.mood : "well";
    this.moodLasts -= 1;
    const reaction = react(mood);
    if (reaction !== undefined) return reaction(response, request.socket);
    const { status, body } = this.#answer(path, JSON.parse(text));
    if (mood === "losing_answers") return void request.socket.destroy();
    return reply(response, status, JSON.stringify(body), JSON_TYPE);
  }

  #answer(path: string, body: unknown): { readonly status: number; readonly body: unknown } {
    if (path === "/v1/events") return this.#takeEvents(body as readonly StoredEvent[]);
    if (path === "/v1/check") return { status: 200, body: this.#decide(true) };
    if (path === "/v1/consume") return this.#consume(body as ConsumeBody);
    if (path.startsWith("/v1/reservations")) return this.#reserve(path, body as { id: string; amount: number });
    if (path.startsWith("/v1/leases")) return this.#lease(path, body as LeaseBody);
    return { status: 404, body: problem(404, "not_found") };
  }

  #takeEvents(events: readonly StoredEvent[]): { readonly status: number; readonly body: unknown } {
    const rejected = events.flatMap((event, index) =>
      event.event === "bad"
        ? [{ index, id: event.id, code: "invalid_event", pointer: `/${index}/event`, detail: "bad" }]
        : [],
    );
    for (const event of events)
      if (event.event !== "bad" && !this.events.has(event.id)) this.events.set(event.id, event);
    if (rejected.length === events.length) return { status: 422, body: problem(422, "no_valid_event", rejected) };
    return { status: 202, body: { accepted: events.length - rejected.length, rejected, request_id: "r" } };
  }

  #consume({ id, amount = 1, enforce = true }: ConsumeBody): { status: number; body: unknown } {
    const isNew = !this.consumed.has(id);
    const allowed = this.isKnown && (!isNew || !enforce || this.counted + amount <= this.limit);
    if (allowed) this.consumed.set(id, amount);
    return { status: 200, body: { ...this.#decide(allowed), duplicate: !isNew } };
  }

  #decide(allowed: boolean): object {
    return {
      allowed,
      metric: "api_request",
      ...(allowed ? {} : { reason: this.isKnown ? "limit_reached" : "unknown_customer" }),
      enforcement: "hard",
      enforced: true,
      limit: String(this.limit),
      carried: "0",
      used: String(this.counted),
      reserved: "0",
      remaining: String(this.limit - this.counted),
      overage: "0",
      over_limit: false,
      cycle: { start: "2026-11-01T00:00:00Z", end: "2126-12-01T00:00:00Z" },
    };
  }

  #reserve(path: string, body: { id: string; amount: number }): { status: number; body: unknown } {
    const [, , , id = "", step] = path.split("/");
    if (step === undefined) {
      if (this.counted + body.amount > this.limit) return { status: 200, body: this.#decide(false) };
      this.#reserved.add(`r.${body.id}`);
      const grant = { id: `r.${body.id}`, granted: String(body.amount), expires_at: "2126-12-01T00:00:00Z" };
      return { status: 200, body: { ...this.#decide(true), ...grant } };
    }
    if (!this.#reserved.has(id)) return { status: 404, body: problem(404, "not_found") };
    if (step === "commit") this.committed.set(id, body.amount);
    return { status: 200, body: { id, step } };
  }

  #lease(path: string, body: LeaseBody): { status: number; body: unknown } {
    const [, , , id] = path.split("/");
    if (!this.isKnown && id === undefined) return { status: 200, body: { ...NO_LEASE, id: body.id } };
    const answer = this.meter.answer(
      id === undefined
        ? { kind: "grant", id: body.id, want: body.want }
        : { kind: "report", id, sequence: body.sequence, used: body.used, want: body.renew?.want ?? null },
      Date.now(),
    );
    if (answer === undefined) return { status: 404, body: problem(404, "not_found") };
    const { granted, ttlMs, remaining } = answer;
    const grant = { granted: String(granted), ttl_ms: ttlMs, remaining: String(remaining) };
    return { status: 200, body: { id: answer.id, sequence: answer.sequence, ...grant, expires_at: "" } };
  }
}

/** What happens instead of an answer. */
function react(mood: Mood): ((response: ServerResponse, socket: Socket) => void) | undefined {
  switch (mood) {
    case "well":
    case "losing_answers":
      return undefined;
    case "failing":
      return (response) => reply(response, 503, "{}", JSON_TYPE);
    case "silent":
      return () => undefined;
    case "breaking":
      return (_, socket) => void socket.destroy();
    case "throttling":
      return (response) => reply(response, 429, "{}", { ...JSON_TYPE, "retry-after": "1" });
    case "html":
      return (response) => reply(response, 200, "<h1>Welcome</h1>", { "content-type": "text/html" });
    case "truncated":
      return (response) => reply(response, 200, '{"allowed":tr', JSON_TYPE);
    case "nonsense":
      return (response) => reply(response, 200, '{"allowed":"yes","metric":"m","enforced":true}', JSON_TYPE);
    case "refusing_key":
      return (response) => reply(response, 401, JSON.stringify(problem(401, "invalid_key")), JSON_TYPE);
  }
}

const NO_LEASE = {
  granted: "0",
  sequence: 1,
  expires_at: "",
  ttl_ms: 0,
  remaining: "0",
  reason: "unknown_customer",
} as const;

interface ConsumeBody {
  readonly id: string;
  readonly amount?: number;
  readonly enforce?: boolean;
}

interface LeaseBody {
  readonly id: string;
  readonly want: number;
  readonly sequence: number;
  readonly used: number;
  readonly renew?: { readonly want: number };
}

function problem(status: number, code: string, errors: readonly object[] = []): object {
  return { type: "about:blank", title: code, status, detail: `It is ${code}.`, code, request_id: "r-1", errors };
}

function reply(
  response: ServerResponse,
  status: number,
  body: string,
  headers: Readonly<Record<string, string>>,
): void {
  response.writeHead(status, headers).end(body);
}
