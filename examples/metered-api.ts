// An API behind Tidemark: each request is metered, one route has a hard limit, another decides by a lease.
import { serve } from "@hono/node-server";
import { Tidemark } from "@tidemark/sdk";
import { tidemark } from "@tidemark/sdk/hono";
import { type Context, Hono } from "hono";

type Env = { Variables: { customer: string } };
const { TIDEMARK_URL = "http://127.0.0.1:8787", TIDEMARK_KEY = "", PORT = "3000" } = process.env;
const client = new Tidemark({ url: TIDEMARK_URL, key: TIDEMARK_KEY });
const customer = (c: Context<Env>): string => c.get("customer");

const app = new Hono<Env>();
app.use(async (c, next) => {
  c.set("customer", c.req.header("x-customer") ?? "nobody"); // in earnest: whom the API key belongs to
  await next();
});

// Asked before each request, so that the limit is exact; the event after it completes what was counted.
app.get("/search", tidemark({ client, customer, enforce: { metric: "searches" }, event: "search" }), (c) =>
  c.json({ results: [] }),
);

// Decided here, without asking: units come in larger portions, and the sum of them never passes the limit.
app.get("/tiles/:z/:x/:y", async (c) =>
  (await client.lease(customer(c), "tiles").admit()) ? c.text("a tile") : c.text("No tiles are left.", 429),
);

const server = serve({ fetch: app.fetch, port: Number(PORT) }, () => console.info(`ready on ${PORT}`));
process.on("SIGTERM", () => server.close(() => void client.close()));
