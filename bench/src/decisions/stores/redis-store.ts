import { Redis } from "ioredis";
import type { Store } from "./store.ts";

/** Checks and counts in one step, on the server; -1 says no. */
const USE = `
  local used, limit = unpack(redis.call("HMGET", KEYS[1], "used", "limit"))
  if tonumber(used) + tonumber(ARGV[1]) > tonumber(limit) then return -1 end
  return redis.call("HINCRBY", KEYS[1], "used", ARGV[1])`;

type RedisWithUse = Redis & { use(customer: string, amount: number): Promise<number> };

/** A hash for each customer, and a script. */
export function openRedis(port: number): Store {
  const redis = new Redis({ port, host: "127.0.0.1" }) as RedisWithUse;
  redis.defineCommand("use", { numberOfKeys: 1, lua: USE });
  return {
    async allow(customers, limit) {
      await Promise.all(customers.map((customer) => redis.hset(customer, { used: 0, limit })));
    },
    async use(customer, amount) {
      const used = await redis.use(customer, amount);
      return used < 0 ? null : used;
    },
    async used(customers) {
      const used = await Promise.all(customers.map((customer) => redis.hget(customer, "used")));
      return used.reduce((sum, each) => sum + Number(each), 0);
    },
    async close() {
      await redis.quit();
    },
  };
}
