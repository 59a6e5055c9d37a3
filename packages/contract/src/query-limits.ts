/** Limits of the read path, with their reasons. The others are in `limits.ts`. */

/** Rows of a page of a list when the request does not say. */
export const PAGE_LIMIT_DEFAULT = 50;
/** Entries of quarantine on a page: each can hold a whole queue message. */
export const QUARANTINE_PAGE_MAX = 100;
/** Characters of a cursor: two ids at their longest, encoded. */
export const CURSOR_LENGTH_MAX = 2_000;

/** Rows of one usage answer, after gaps are filled: about 6 MB of JSON. */
export const USAGE_ROWS_MAX = 50_000;
/** Days of a report: it reads the days before as well, and both lie within what a query may span. */
export const REPORT_DAYS_MAX = 200;
/** Rows of a report when the request does not say. */
export const REPORT_LIMIT_DEFAULT = 20;
/** How long the live meter may take before the answer goes without it. */
export const METER_TIMEOUT_MS = 3_000;

/** Attributes of a customer, and the characters of a key and of a text. */
export const ATTRIBUTES_MAX = 50;
export const ATTRIBUTE_KEY_LENGTH_MAX = 64;
export const ATTRIBUTE_LENGTH_MAX = 500;

/** How far ahead a metric's next version can begin: no other can begin before it. */
export const EFFECTIVE_AHEAD_MS_MAX = 366 * 86_400_000;

/** Characters of an `Idempotency-Key`. */
export const IDEMPOTENCY_KEY_LENGTH_MAX = 255;
/** How long a repeated request gets the first one's answer. */
export const IDEMPOTENT_ANSWER_MS = 24 * 3_600_000;
/** How long a request may take before another with its key is let through. */
export const IDEMPOTENT_PROGRESS_MS = 60_000;

/** Customers' days of which one answer unites the ids, and characters of their ids and groups: seconds of work. */
export const FOLDED_DAYS_MAX = 50_000;
export const FOLDED_LENGTH_MAX = 100_000_000;
/** Customers that a ranking by distinct count looks at: the candidates, by the most that they can have. */
export const RANKING_CANDIDATES_MAX = 10_000;
/** Conditions on labels in one usage query. */
export const LABEL_FILTERS_MAX = 5;
/** Days of rejected events when the request does not say. */
export const REJECTED_DAYS_DEFAULT = 7;
