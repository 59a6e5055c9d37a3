interface OrderedRow {
  /** All that decides where a row stands before its customer does. */
  readonly place: readonly unknown[];
  readonly alias: string;
}

/**
 * Puts rows that only their customer's id told apart into the order of the aliases: among equals the order of the
 * ids would tell whose they are. Every other row stays where it is.
 */
export function orderEquals<Row>(rows: readonly Row[], read: (row: Row) => OrderedRow): readonly Row[] {
  let run = 0;
  let before: string | undefined;
  const placed = rows.map((row) => {
    const { place, alias } = read(row);
    const text = JSON.stringify(place);
    if (text !== before) run++;
    before = text;
    return { row, run, alias };
  });
  return placed.toSorted((a, b) => a.run - b.run || byText(a.alias, b.alias)).map(({ row }) => row);
}

function byText(a: string, b: string): number {
  return Number(a > b) - Number(a < b);
}
