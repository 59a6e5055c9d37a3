/** Under this id the end of a reservation or lease is remembered. */
export function endOf(id: string): string {
  return `${id}\u0000end`;
}

/** Under this id it is remembered that something was counted after it had been denied, or had expired. */
export function afterAllOf(id: string): string {
  return `${id}\u0000after all`;
}

/** Under this id it is remembered that what was used was given back. */
export function returnOf(id: string): string {
  return `${id}\u0000returned`;
}
