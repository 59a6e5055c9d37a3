/** How a whole number beyond 2^53 is written in JSON: an object, which no text that people send can be mistaken for. */
interface Written {
  readonly $int: string;
}

/** JSON of something that may hold `bigint`s. */
export function toExactJson(value: unknown): string {
  try {
    return JSON.stringify(value);
  } catch {
    // Nearly nothing is that large, and a replacer costs more than the rest.
    return JSON.stringify(value, (_key, part: unknown) =>
      typeof part === "bigint" ? ({ $int: part.toString() } satisfies Written) : part,
    );
  }
}

/** Reads back what `toExactJson` wrote. */
export function fromExactJson(text: string): unknown {
  if (!text.includes('{"$int":"')) return JSON.parse(text);
  return JSON.parse(text, (_key, part: unknown) => (isWritten(part) ? BigInt(part.$int) : part));
}

function isWritten(part: unknown): part is Written {
  return typeof part === "object" && part !== null && "$int" in part && typeof part.$int === "string";
}
