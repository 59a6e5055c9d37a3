import type { DecideRequest } from "@tidemark/contract";
import { lease, report } from "./decide-lease.ts";
import { commit, extend, release, reserve } from "./decide-reservation.ts";
import { decideUse } from "./decide-use.ts";
import { type Decided, type Desk, Refused } from "./desk.ts";

/** Decides, and remembers what it decided. */
export function decide(desk: Desk, request: DecideRequest): Decided {
  try {
    const decided = decideKind(desk, request);
    return { ...decided, reply: { ...decided.reply, ...aside(desk, request) } };
  } catch (error) {
    if (error instanceof Refused) return error.decided;
    throw error;
  }
}

function decideKind(desk: Desk, request: DecideRequest): Decided {
  switch (request.kind) {
    case "check":
    case "consume":
      return decideUse(desk, request);
    case "reserve":
      return reserve(desk, request);
    case "commit":
      return commit(desk, request);
    case "release":
      return release(desk, request);
    case "extend":
      return extend(desk, request);
    case "lease":
      return lease(desk, request);
    case "report":
      return report(desk, request);
  }
}

/** What the caller should know besides: which metrics the meter knows too little of, whether it was ever told anything, and what to do when it is away. */
function aside({ quotas, now }: Desk, request: DecideRequest): object {
  const outdated = quotas.metrics.outdated(request.catalog_version, now);
  const slugs = slugsOf(request);
  const open = slugs.length > 0 && slugs.every((slug) => quotas.unavailableOf(slug) === "open");
  return {
    ...(outdated.length === 0 ? {} : { wants_metrics: outdated }),
    ...(quotas.balances.wasNeverSet ? { never_set: true } : {}),
    ...(slugs.length === 0 ? {} : { unavailable: open ? "open" : "closed" }),
  };
}

function slugsOf(request: DecideRequest): readonly string[] {
  switch (request.kind) {
    case "check":
    case "consume":
      return request.items.map(({ metric }) => metric);
    case "reserve":
      return [request.item.metric];
    case "lease":
      return [request.metric];
    case "commit":
    case "release":
    case "extend":
    case "report":
      return [];
  }
}
