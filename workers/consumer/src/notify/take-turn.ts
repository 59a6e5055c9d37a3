import { DELIVERY_TIMEOUT_MS } from "@tidemark/contract";
import { claimTurn, type DestinationRow } from "@tidemark/db/destinations";
import type { ConsumerEnv } from "../env.ts";
import { TURN_MS } from "./pause-after.ts";

/** As long as an attempt and noting it take: until then nobody else posts. */
const HELD_MS = DELIVERY_TIMEOUT_MS + TURN_MS;

/**
 * Takes a destination's turn, where only one may post at a time: to a channel, because a post takes all that waits, and
 * to a webhook that did not answer, to see whether it does again. The attempt's outcome ends the turn.
 *
 * @returns the destination as it is then, or `undefined` when somebody else has the turn.
 */
export async function takeTurn(
  { DB }: Pick<ConsumerEnv, "DB">,
  destination: DestinationRow,
  now: number,
): Promise<DestinationRow | undefined> {
  if (destination.kind === "webhook" && destination.next_at === 0) return destination;
  const until = now + HELD_MS;
  return (await claimTurn(DB, destination, { now, until })) ? { ...destination, next_at: until } : undefined;
}
