import { ID_LENGTH_MAX, NAME_LENGTH_MAX } from "@tidemark/contract";
import { isPlain } from "@tidemark/contract/event-check";
import { DECIMAL_PLACES_MAX, toExact } from "@tidemark/core/exact";
import { Problem } from "@tidemark/http/problem";

/**
 * The public name of a reservation or lease: it says whose it is, so that nothing has to be looked up before its
 * meter is called. A name that somebody makes up finds nothing there.
 */
export interface HoldId {
  readonly customer_id: string;
  /** What the meter calls it. */
  readonly key: string;
  /** Set where the meter could not be reached: what was admitted without it. */
  readonly open: { readonly metric: string; readonly amount: string } | null;
}

/** Writes a name that fits a path. */
export function toHoldId(prefix: "rsv" | "lse", { customer_id, key, open }: HoldId): string {
  const parts = [customer_id, key, ...(open === null ? [] : [open.metric, open.amount])];
  return `${prefix}_${parts.map(encode).join(".")}`;
}

/** @throws Problem not_found for what is not one. */
export function fromHoldId(prefix: "rsv" | "lse", id: string): HoldId {
  const parts = id.startsWith(`${prefix}_`) ? id.slice(4).split(".").map(decode) : [];
  const [customer_id, key, metric, amount] = parts;
  const isHeld = parts.length === 2 && isPlain(customer_id, NAME_LENGTH_MAX) && isPlain(key, ID_LENGTH_MAX);
  if (isHeld) return { customer_id, key, open: null };
  const isOpen =
    parts.length === 4 &&
    isPlain(customer_id, NAME_LENGTH_MAX) &&
    isPlain(key, ID_LENGTH_MAX) &&
    isPlain(metric, NAME_LENGTH_MAX) &&
    amount !== undefined &&
    isAmountText(amount);
  if (isOpen) return { customer_id, key, open: { metric, amount } };
  throw new Problem("not_found", `There is no ${prefix === "rsv" ? "reservation" : "lease"} with this id.`);
}

/** Whether a text is a decimal that is not negative, as `toExact` reads it. */
export function isAmountText(amount: string): boolean {
  const units = toExact(amount, DECIMAL_PLACES_MAX);
  return typeof units !== "string" && units >= 0;
}

function encode(text: string): string {
  const bytes = new TextEncoder().encode(text);
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replace(/=+$/, "");
}

function decode(part: string): string | undefined {
  try {
    const bytes = Uint8Array.from(atob(part.replaceAll("-", "+").replaceAll("_", "/")), (c) => c.charCodeAt(0));
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return text === "" ? undefined : text;
  } catch {
    return undefined;
  }
}
