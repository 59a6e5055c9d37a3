/** What a column of a table is called whose texts are places in time, and what their order goes by. */
const ORDERS: Readonly<Record<string, (label: string) => string | number>> = {
  hour: (label) => label,
  day: (label) => label,
  week: (label) => label,
  month: (label) => label,
  hour_of_day: Number,
  day_of_week: (label) => WEEKDAYS.indexOf(label),
};
const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

/**
 * Which way rows follow time: 1 forwards, -1 backwards; `undefined` where they do not, as in a ranking of days, which
 * is no course of anything.
 *
 * @param key of the column that has the labels.
 */
export function directionOf(key: string, rows: readonly { readonly label: string }[]): 1 | -1 | undefined {
  const order = Object.hasOwn(ORDERS, key) ? ORDERS[key] : undefined;
  if (order === undefined) return undefined;
  const places = rows.map(({ label }) => order(label));
  const follows = (direction: 1 | -1): boolean =>
    places.every((place, index) => {
      const before = places[index - 1];
      return before === undefined || (direction === 1 ? before < place : before > place);
    });
  if (follows(1)) return 1;
  return follows(-1) ? -1 : undefined;
}
