/** Whether a value from JSON is an object, and so may be looked into. */
export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Reads an answer that is passed on as it is. @returns `undefined` when it is no object. */
export function toObject(value: unknown): Readonly<Record<string, unknown>> | undefined {
  return isObject(value) ? value : undefined;
}
