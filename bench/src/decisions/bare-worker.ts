import { DurableObject } from "cloudflare:workers";
import { customersOf, ranksOf } from "../harness/ranks.ts";

interface Env {
  readonly COUNTERS: DurableObjectNamespace<Counter>;
}

interface Use {
  readonly customer_id: string;
  readonly amount: number;
}

/** A counter for each customer: one row, written and committed with each call, and no memory of what was asked. */
export class Counter extends DurableObject<Env> {
  constructor(context: DurableObjectState, env: Env) {
    super(context, env);
    context.storage.sql.exec("CREATE TABLE IF NOT EXISTS counter (id INTEGER PRIMARY KEY, used INTEGER NOT NULL)");
    context.storage.sql.exec("INSERT OR IGNORE INTO counter (id, used) VALUES (1, 0)");
  }

  use(amount: number): number {
    const { sql } = this.ctx.storage;
    return sql.exec<{ used: number }>("UPDATE counter SET used = used + ? WHERE id = 1 RETURNING used", amount).one()
      .used;
  }

  read(): number {
    return this.ctx.storage.sql.exec<{ used: number }>("SELECT used FROM counter").one().used;
  }
}

/** The floor: the least that a Worker can do which counts a use in its customer's object. It knows no limit. */
export default {
  async fetch(request, env) {
    if (request.method === "POST") {
      const { customer_id, amount } = await request.json<Use>();
      return Response.json({ allowed: true, used: await counterOf(env, customer_id).use(amount) });
    }
    const customers = customersOf(ranksOf(new URL(request.url).searchParams));
    const used = await Promise.all(customers.map((customer) => counterOf(env, customer).read()));
    return Response.json({ used: used.reduce((sum, each) => sum + each, 0) });
  },
} satisfies ExportedHandler<Env>;

function counterOf({ COUNTERS }: Env, customer: string): DurableObjectStub<Counter> {
  return COUNTERS.get(COUNTERS.idFromName(customer));
}
