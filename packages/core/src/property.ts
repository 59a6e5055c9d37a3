import type { Json, UsageEvent } from "./event.ts";

/** What an event says about itself. */
export type Properties = UsageEvent["properties"];

/** Reads one property; `undefined` when the event does not have it. */
export type PropertyReader = (properties: Properties) => Json | undefined;

/**
 * Makes a reader of a dotted path. It follows own properties only: arrays and prototypes are not
 * entered. A key that holds the whole dotted path itself wins over the nested one.
 */
export function readerOf(path: string): PropertyReader {
  if (!path.includes("."))
    return (properties) => (properties !== undefined && Object.hasOwn(properties, path) ? properties[path] : undefined);
  const keys = path.split(".");
  return (properties) => {
    if (properties === undefined) return undefined;
    if (Object.hasOwn(properties, path)) return properties[path];
    let value: Json = properties;
    for (const key of keys) {
      if (typeof value !== "object" || value === null || Array.isArray(value) || !Object.hasOwn(value, key))
        return undefined;
      value = (value as { readonly [key: string]: Json })[key] as Json;
    }
    return value;
  };
}
