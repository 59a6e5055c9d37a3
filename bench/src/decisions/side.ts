import { UNDER_TEST } from "../harness/product.ts";
import type { RunningWorkers } from "../harness/start-workers.ts";
import { startStore } from "./stores/start-store.ts";
import type { StoreKind } from "./stores/store.ts";

/** One of those that are held against each other: ours, or a rival that is asked in the same way. */
export interface Side {
  readonly name: string;
  readonly url: string;
  /** The value of the header; rivals look at none. */
  readonly authorization: string;
  /** What its answers contain that say yes. */
  readonly yes: string;
  /** What its server has used; `NaN` where that is spread over several processes. */
  cpuSeconds(): number;
}

/** What all sides say of a use that they allow. */
const ALLOWED = '"allowed":true';

/** A side that is a Worker. */
export async function toSide(
  name: string,
  workers: RunningWorkers,
  { authorization = "none", yes = ALLOWED }: Partial<Pick<Side, "authorization" | "yes">> = {},
): Promise<Side> {
  const url = await workers.url(UNDER_TEST);
  return { name, url, authorization, yes, cpuSeconds: () => workers.cpuSeconds() };
}

/** A side that is a service before a database. */
export interface StoreSide extends Side {
  readonly databasePort: number;
  stop(): void;
}

/** Starts one; `undefined` where the database is not installed. */
export async function startStoreSide(name: string, kind: StoreKind): Promise<StoreSide | undefined> {
  const store = await startStore(kind);
  if (store === undefined) return undefined;
  return { ...store, name, authorization: "none", yes: ALLOWED, cpuSeconds: () => NaN };
}
