import type { DecideProblem, MeterAddress, StoredBalance } from "@tidemark/contract";
import { Problem } from "@tidemark/http/problem";
import type { QueryEnv } from "./env.ts";
import { invalid } from "./plumbing/issues.ts";
import { askMeter } from "./read-meter.ts";

type Ask<Reply> = Parameters<typeof askMeter<Reply>>[2];

/**
 * Asks a customer's meter something that nobody else knows.
 *
 * @throws Problem unavailable when it failed or did not answer in time.
 */
export async function requireMeter<Reply>(env: QueryEnv, address: MeterAddress, ask: Ask<Reply>): Promise<Reply> {
  const reply = await askMeter(env, address, ask);
  if (reply === undefined) throw unavailable("The customer's meter did not answer; send the same request again.");
  return reply;
}

/** What a customer may use and is charged for, as it stands; also what has ended and can still change. */
export interface Balances {
  /** Milliseconds. */
  readonly as_of: number;
  /** Whether the meter has ever counted or been told something. */
  readonly is_known: boolean;
  readonly balances: readonly StoredBalance[];
}

/** @throws Problem unavailable. */
export async function readBalances(env: QueryEnv, address: MeterAddress): Promise<Balances> {
  return requireMeter(env, address, async (meter): Promise<Balances> => meter.balances(address));
}

/** A problem that a meter found, as the request's. */
export function toProblem({ code, detail, pointer }: DecideProblem): Problem {
  if (code === "invalid_request") return invalid([{ pointer: pointer ?? "", code: "invalid_value", detail }]);
  return new Problem(code, detail);
}

export function unavailable(detail: string): Problem {
  return new Problem("unavailable", detail, { headers: { "retry-after": "2" } });
}
