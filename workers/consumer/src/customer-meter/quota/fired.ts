/** That a threshold was crossed: in the cycle that begins at `start`, so many times, and whether it can be again. */
export interface Fired {
  readonly start: number;
  readonly times: number;
  readonly is_armed: boolean;
}

/** By threshold and version. Earlier releases kept where the cycle began, and nothing else. */
export type StoredFired = Readonly<Record<string, Fired | number>>;

/** Reads what was stored. */
export function readFired(stored: StoredFired): Map<string, Fired> {
  return new Map(
    Object.entries(stored).map(([key, fired]) => [
      key,
      typeof fired === "number" ? { start: fired, times: 1, is_armed: false } : fired,
    ]),
  );
}
