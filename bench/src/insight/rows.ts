/** Customers' days that both databases are filled with: the same arithmetic in both, in whole numbers. */
export interface Filling {
  readonly customers: number;
  /** The last of them is today. */
  readonly days: number;
  readonly metrics: number;
}

/** The metric with a number, from 0. */
export function metricId(index: number): string {
  return `insight-${index}`;
}

/** What customer `rank` used on a day: by size like a power law, and a little different from day to day. Never 0. */
export function valueSql(rank: string, day: string, metric: number): string {
  return `((1000000 + ${metric} * 1000) / (${rank} + 9) + (${rank} * 31 + ${day} * 17) % 40 + 1)`;
}

/** The latest event of that day. */
export function lastAtSql(rank: string, day: string): string {
  return `(${day} * 86400000 + ${rank} % 3600000)`;
}
