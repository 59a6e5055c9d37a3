/** A time point as answers write it: RFC 3339 in UTC, whole seconds without a fraction. */
export function toInstantText(at: number): string {
  return new Date(at).toISOString().replace(".000Z", "Z");
}

/** The same where there may be none. */
export function toOptionalInstant(at: number | null): string | null {
  return at === null ? null : toInstantText(at);
}
