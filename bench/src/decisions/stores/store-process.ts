import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { customersOf, ranksOf } from "../../harness/ranks.ts";
import { openPostgres } from "./postgres-store.ts";
import { openRedis } from "./redis-store.ts";
import type { Store, StoreKind } from "./store.ts";

// A service as small as can be before a database: `node:http`, and the database's usual client. Forked.

interface Use {
  readonly customer_id: string;
  readonly amount: number;
}

const [kind, port] = process.argv.slice(2) as [StoreKind, string];
const store = kind === "postgres" ? await openPostgres(Number(port)) : openRedis(Number(port));
const server = createServer((request, response) => {
  void reply(request, response);
});
server.listen(0, "127.0.0.1", () => process.send?.(server.address()));
process.on("disconnect", () => process.exit());

async function reply(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const text = await answer(request, store);
  // All of it is ASCII.
  response.writeHead(200, { "content-type": "application/json", "content-length": text.length });
  response.end(text);
}

async function answer(request: IncomingMessage, { allow, use, used }: Store): Promise<string> {
  if (request.method === "POST") {
    const { customer_id, amount } = JSON.parse(await readText(request)) as Use;
    const after = await use(customer_id, amount);
    return JSON.stringify(after === null ? { allowed: false } : { allowed: true, used: after });
  }
  const { searchParams } = new URL(request.url ?? "", "http://127.0.0.1");
  const customers = customersOf(ranksOf(searchParams));
  if (request.method === "GET") return JSON.stringify({ used: await used(customers) });
  await allow(customers, Number(searchParams.get("limit")));
  return "{}";
}

function readText(request: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    let text = "";
    request.setEncoding("utf8");
    request.on("data", (chunk: string) => (text += chunk));
    request.on("end", () => resolve(text));
  });
}
