import { canonicalDecimal } from "./decimal.ts";

/** A value JSON can hold. A number that JavaScript would round is kept as its text. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/** One immutable fact of use, as it travels from the edge to the meter and the archive. */
export interface UsageEvent {
  readonly id: string;
  readonly event: string;
  readonly customer_id: string;
  /** RFC 3339, unix seconds or unix milliseconds; absent when the time of receipt stands for it. */
  readonly timestamp?: string | number | undefined;
  readonly properties?: { readonly [key: string]: Json } | undefined;
  /** Not an event but a consume, which was admitted while its meter could not be reached. Nobody can send it. */
  readonly consumed?:
    | readonly {
        readonly metric: string;
        readonly amount: number | string;
        /** Whether it counts only if the metric's filters let its properties pass. */
        readonly is_filtered?: boolean | undefined;
      }[]
    | undefined;
}

/**
 * Number tokens that a double might not hold: sixteen or more digits, or an exponent of three. A JSON
 * number can only follow one of the four leading characters, so quoted digits are passed over.
 */
const MAYBE_ROUNDED = /[:,[\s]-?(?:[0-9.]{16}|[0-9.]+[eE][+-]?[0-9]{3})/;

type Reviver = (this: unknown, key: string, value: unknown, context: { readonly source?: string }) => unknown;

const keepExact: Reviver = (_key, value, context) => {
  if (typeof value !== "number" || context.source === undefined) return value;
  return Number.isFinite(value) && canonicalDecimal(context.source) === canonicalDecimal(String(value))
    ? value
    : context.source;
};

/** JSON that was read without rounding. */
export interface ExactJson {
  readonly value: unknown;
  /** Whether a number was kept as text, so that the value written out again differs from the text it came from. */
  readonly isChanged: boolean;
}

/**
 * `JSON.parse`, except that a number which a double cannot hold stays as the text that was written
 * (`12345678901234567890`, `0.1234567890123456789`, `1e400`), so that nothing is rounded on the way in.
 * Of repeated keys the last one counts.
 *
 * @throws SyntaxError when the text is not JSON.
 */
export function parseExactJson(text: string): ExactJson {
  if (!MAYBE_ROUNDED.test(text)) return { value: JSON.parse(text), isChanged: false };
  return { value: JSON.parse(text, keepExact as (key: string, value: unknown) => unknown), isChanged: true };
}
