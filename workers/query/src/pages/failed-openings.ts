import { FAILED_OPENINGS_MAX, FAILED_OPENINGS_SECONDS } from "@tidemark/contract/query-limits";
import type { QueryEnv } from "../env.ts";

/** What an address is told of how often it may fail, in every answer to a link that opens nothing. */
export const FAILED_OPENINGS_POLICY = {
  "ratelimit-policy": `"failed-openings";q=${FAILED_OPENINGS_MAX};w=${FAILED_OPENINGS_SECONDS}`,
};

/** The same once it has failed too often: the counter begins anew within that time. */
export const FAILED_TOO_OFTEN = {
  ...FAILED_OPENINGS_POLICY,
  ratelimit: `"failed-openings";r=0;t=${FAILED_OPENINGS_SECONDS}`,
  "retry-after": String(FAILED_OPENINGS_SECONDS),
};

/**
 * Counts a link that opened nothing against whoever tried it. Only failures count: however many people share an
 * address, and whatever one of them tries, the right link opens for the others.
 *
 * @returns whether the address has failed too often.
 */
export async function countFailedOpening(
  { FAILED_OPENINGS }: Pick<QueryEnv, "FAILED_OPENINGS">,
  address: string | undefined,
): Promise<boolean> {
  const { success } = await FAILED_OPENINGS.limit({ key: networkOf(address ?? "unknown") });
  return !success;
}

/** Of IPv6 the first half, which is what one subscriber is given: the rest can be changed at will. */
export function networkOf(address: string): string {
  if (!address.includes(":")) return address;
  const [head = "", tail] = address.split("::");
  const before = head === "" ? [] : head.split(":");
  const after = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros = Array.from({ length: Math.max(8 - before.length - after.length, 0) }, () => "0");
  return [...before, ...(tail === undefined ? [] : zeros), ...after].slice(0, 4).join(":");
}
