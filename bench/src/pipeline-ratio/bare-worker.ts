import { DurableObject } from "cloudflare:workers";
import { Hono } from "hono";
import { customerId } from "@tidemark/testing/workload";
import { noteProgress, reportProgress } from "../harness/queue-progress.ts";

interface Env {
  readonly EVENTS: Queue<string>;
  readonly COUNTERS: DurableObjectNamespace<Counter>;
}

interface Event {
  readonly customer_id: string;
  readonly properties: { readonly units: number };
}

/** As the product packs, so that a batch of messages holds as many events and makes as many calls. */
const MESSAGE_BYTES_MAX = 64_000;
const COUNT =
  "INSERT INTO counter (id, events, units) VALUES (1, ?, ?) ON CONFLICT DO UPDATE SET events = events + excluded.events, units = units + excluded.units";

/** A counter for each customer: one upsert a call, and no memory of what it has counted. */
export class Counter extends DurableObject<Env> {
  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    context.storage.sql.exec(
      "CREATE TABLE IF NOT EXISTS counter (id INTEGER PRIMARY KEY, events INTEGER NOT NULL, units INTEGER NOT NULL)",
    );
  }

  add(events: number, units: number): void {
    this.ctx.storage.sql.exec(COUNT, events, units);
  }

  read(): { events: number; units: number } {
    return (
      this.ctx.storage.sql
        .exec<{ events: number; units: number }>("SELECT events, units FROM counter")
        .toArray()[0] ?? { events: 0, units: 0 }
    );
  }
}

const app = new Hono<{ Bindings: Env }>();

app.post("/v1/events", async (context) => {
  const text = await context.req.text();
  const events = JSON.parse(text) as Event[];
  if (text.length <= MESSAGE_BYTES_MAX) await context.env.EVENTS.send(text, { contentType: "text" });
  else await context.env.EVENTS.sendBatch(split(events, Math.ceil(text.length / MESSAGE_BYTES_MAX)));
  return context.json({ accepted: events.length }, 202);
});
app.get("/progress", async (context) => context.json(await reportProgress(context.env.EVENTS)));
app.get("/totals", async (context) => {
  const from = Number(context.req.query("from"));
  const ranks = Array.from({ length: Number(context.req.query("to")) - from }, (_, index) => from + index);
  return context.json(await Promise.all(ranks.map((rank) => counterOf(context.env, customerId(rank)).read())));
});

/** The rival: a Hono app, a queue, and an object for each customer. */
export default {
  fetch: app.fetch,
  queue: (batch, env) => noteProgress(batch, () => count(batch, env)),
} satisfies ExportedHandler<Env, string>;

async function count(batch: MessageBatch<string>, env: Env): Promise<void> {
  const customers = new Map<string, { events: number; units: number }>();
  for (const message of batch.messages) {
    for (const event of JSON.parse(message.body) as Event[]) {
      let customer = customers.get(event.customer_id);
      if (customer === undefined) customers.set(event.customer_id, (customer = { events: 0, units: 0 }));
      customer.events++;
      customer.units += event.properties.units;
    }
  }
  await Promise.all(
    Array.from(customers, ([customer, { events, units }]) => counterOf(env, customer).add(events, units)),
  );
  batch.ackAll();
}

function counterOf({ COUNTERS }: Env, customer: string): DurableObjectStub<Counter> {
  return COUNTERS.get(COUNTERS.idFromName(customer));
}

function split(events: readonly Event[], parts: number): MessageSendRequest<string>[] {
  const size = Math.ceil(events.length / parts);
  return Array.from({ length: parts }, (_, part) => ({
    body: JSON.stringify(events.slice(part * size, (part + 1) * size)),
    contentType: "text",
  }));
}
