/** A JSON Pointer (RFC 6901); a hostile key is kept short. */
export function toPointer(path: readonly PropertyKey[]): string {
  return path
    .map((key) => `/${String(key).slice(0, 64).toWellFormed().replaceAll("~", "~0").replaceAll("/", "~1")}`)
    .join("");
}
