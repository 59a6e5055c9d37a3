import type { Exact } from "@tidemark/core";
import { useHeld } from "./decide-reservation.ts";
import { toText } from "./decide-use.ts";
import type { DecisionRecord } from "./decision-record.ts";
import { type Desk, toCounted } from "./desk.ts";
import type { LiveBalance } from "./live-balance.ts";
import type { Metered } from "./metered-metrics.ts";

/** What a lease reports has no properties. */
const NO_PLACE = { labels: [], segments: 0 } as const;

/** Uses what a holder says it used, of what it holds and beyond: it has happened. */
export function countUsed(
  { quotas, now }: Desk,
  lives: readonly LiveBalance[],
  metered: Metered,
  { id, used }: { readonly id: string; readonly used: Exact },
): Pick<DecisionRecord, "counted" | "paid"> {
  const { metric } = metered;
  const paid = lives.map((live) => {
    const watch = quotas.watch(live, metered);
    const isHeld = live.balance.state.holds.has(id);
    live.touch();
    const parts = isHeld ? useHeld(live, id, used, now, 0) : live.balance.consume(used, now, 0);
    quotas.crossed(watch, now);
    return { balance: live.key, parts: toText(parts) };
  });
  if (used === 0) return { counted: [], paid };
  quotas.count({ metric, ...NO_PLACE, value: used, id, at: now });
  return { counted: [toCounted(metric, NO_PLACE, used)], paid };
}
