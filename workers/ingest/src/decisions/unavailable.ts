import type { DecideRequest, Unavailable } from "@tidemark/contract";
import { readUnavailable } from "@tidemark/db/unavailable";

/** What limits say about being unreachable, as their meters said last; the oldest makes room. */
const known = new Map<string, Unavailable>();
const KNOWN_MAX = 20_000;

/** Notes what a meter said. */
export function rememberUnavailable(request: DecideRequest, unavailable: Unavailable): void {
  const key = keyOf(request);
  if (key === undefined || known.get(key) === unavailable) return;
  known.delete(key);
  known.set(key, unavailable);
  if (known.size <= KNOWN_MAX) return;
  const [oldest] = known.keys();
  if (oldest !== undefined) known.delete(oldest);
}

/** What to do about a question that its meter cannot answer. `closed` when nobody knows. */
export async function unavailableOf(db: D1Database, request: DecideRequest): Promise<Unavailable> {
  const key = keyOf(request);
  if (key === undefined) return "closed";
  const last = known.get(key);
  if (last !== undefined) return last;
  try {
    for (const slug of slugsOf(request)) {
      if ((await readUnavailable(db, request.project_id, request.customer_id, slug)) === "closed") return "closed";
    }
    return "open";
  } catch (error) {
    console.error(JSON.stringify({ at: "unavailable", project_id: request.project_id, error: String(error) }));
    return "closed";
  }
}

function keyOf(request: DecideRequest): string | undefined {
  const slugs = slugsOf(request);
  return slugs.length === 0 ? undefined : JSON.stringify([request.project_id, request.customer_id, ...slugs]);
}

function slugsOf(request: DecideRequest): readonly string[] {
  if (request.kind === "check" || request.kind === "consume") return request.items.map(({ metric }) => metric);
  return request.kind === "reserve" ? [request.item.metric] : [];
}
