import * as z from "zod";

/** Control characters, direction overrides and halves of surrogate pairs, which make a text look like another. */
const UNPRINTABLE = /[\p{Cc}\u202a-\u202e\u2066-\u2069]|\p{Cs}/u;

/** A line of text that people read: trimmed, not empty, printable. */
export function plainText(lengthMax: number) {
  return z
    .string()
    .trim()
    .min(1)
    .max(lengthMax)
    .refine(isPrintable, "Must not contain control characters, direction overrides or half a surrogate pair.");
}

/** A name, as files and charts show it: no spreadsheet must take it for a formula. */
export function nameText(lengthMax: number) {
  return plainText(lengthMax).refine(
    (text) => !/^[=+\-@]/.test(text),
    "Must not begin with =, +, - or @: a spreadsheet would run it as a formula.",
  );
}

/** The same as `plainText`, where nothing may stand for "none". */
export function optionalText(lengthMax: number) {
  return z
    .string()
    .max(lengthMax)
    .refine(isPrintable, "Must not contain control characters, direction overrides or half a surrogate pair.");
}

function isPrintable(text: string): boolean {
  return !UNPRINTABLE.test(text);
}
