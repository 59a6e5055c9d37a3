import { setImmediate } from "node:timers/promises";
import { type Lease, Tidemark } from "@tidemark/sdk";
import { answerParent } from "../harness/child.ts";
import { DECIDED_METRIC } from "../harness/project.ts";
import type { CallerCommand, CallerResult, ClientOptions } from "./caller-plan.ts";
import { openRedis } from "./stores/redis-store.ts";

// The process of a caller: what it decides by itself with the SDK, and what it asks Redis about.

/** Decisions between two looks at the network, as a busy service comes to one with each request that it reads. */
const BETWEEN_LOOKS = 100;
/** Questions to Redis that wait for an answer. */
const IN_FLIGHT = 32;

const clients = new Map<string, Tidemark>();

answerParent(async (command): Promise<CallerResult> => {
  const startedAt = performance.now();
  const allowed = await carryOut(command as CallerCommand);
  return { allowed, seconds: (performance.now() - startedAt) / 1000 };
});

async function carryOut(command: CallerCommand): Promise<number> {
  switch (command.kind) {
    case "lease":
      return decide(clientOf(command.client, "").lease(command.customer, DECIDED_METRIC.slug), command.seconds);
    case "exhaust":
      return exhaust(command);
    case "redis":
      return askRedis(command);
    case "close":
      await Promise.all(Array.from(clients.values(), (client) => client.close()));
      return 0;
  }
}

async function decide(lease: Lease, seconds: number): Promise<number> {
  await lease.ready();
  let allowed = 0;
  for (const endAt = performance.now() + seconds * 1000; performance.now() < endAt;) {
    for (let i = 0; i < BETWEEN_LOOKS; i++) if (lease.take()) allowed++;
    await setImmediate();
  }
  return allowed;
}

/** Each holder is a client of its own, as if it were another process. */
async function exhaust({
  client,
  customer,
  holders,
}: Extract<CallerCommand, { readonly kind: "exhaust" }>): Promise<number> {
  const leases = Array.from({ length: holders }, (_, holder) =>
    clientOf(client, `holder ${holder}`).lease(customer, DECIDED_METRIC.slug),
  );
  const each = leases.map(async (lease) => {
    let allowed = 0;
    while (await lease.admit()) allowed++;
    return allowed;
  });
  return (await Promise.all(each)).reduce((sum, allowed) => sum + allowed, 0);
}

function clientOf(options: ClientOptions, name: string): Tidemark {
  const known = clients.get(name);
  if (known !== undefined) return known;
  const made = new Tidemark(options);
  clients.set(name, made);
  return made;
}

async function askRedis({
  port,
  customer,
  seconds,
}: Extract<CallerCommand, { readonly kind: "redis" }>): Promise<number> {
  const store = openRedis(port);
  const endAt = performance.now() + seconds * 1000;
  const each = Array.from({ length: IN_FLIGHT }, async () => {
    let allowed = 0;
    while (performance.now() < endAt) if ((await store.use(customer, 1)) !== null) allowed++;
    return allowed;
  });
  const allowed = (await Promise.all(each)).reduce((sum, one) => sum + one, 0);
  await store.close();
  return allowed;
}
