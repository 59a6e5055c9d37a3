/** Cloudflare's list prices for Workers Paid, in dollars per million. */
export const PRICES = {
  /** A request to a Worker, or its invocation by a queue. */
  request: 0.3,
  /** A write, read or delete of a queue message of at most 64,000 bytes. */
  queueOperation: 0.4,
  /** A call of a Durable Object, or its alarm. */
  objectRequest: 0.15,
  /** A row, in an object or in D1; setting an alarm is one. */
  rowWritten: 1,
  rowRead: 0.001,
  /** R2: put and list. */
  classA: 4.5,
  /** A Durable Object awake, by the GB-second; it has 128 MB. */
  gigabyteSecond: 12.5,
  /** A Worker's CPU, by the millisecond. */
  cpuMillisecond: 0.02,
} as const;

export const OBJECT_GIGABYTES = 0.128;
