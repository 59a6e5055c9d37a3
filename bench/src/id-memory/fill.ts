/** A call of the meter: the events at these positions of an endless list. */
export interface FillOrder {
  readonly positions: readonly number[];
}

export interface FillReply {
  readonly fresh: number;
  readonly duplicates: number;
  /** Rows that the call wrote. */
  readonly rows: number;
}

/** The id at a position: as long as a UUID, and as different from its neighbours as a counter makes it. */
export function idAt(position: number): string {
  return `019a9c1e-7d00-7000-8000-${position.toString(16).padStart(12, "0")}`;
}
