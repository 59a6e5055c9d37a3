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
/** Customers of a report by the hour: every hour of theirs is read. */
export const HOURLY_LIMIT_MAX = 100;
/** Labels of a customer that a report tells apart: what is beyond them is together. */
export const HEAVY_LABELS_MAX = 10;
/** Customers whose meters one report asks whether they are near a limit, and so many at a time. */
export const NEAR_LIMIT_CANDIDATES_MAX = 200;
export const NEAR_LIMIT_CONCURRENCY = 20;
/** Rows of each list of a digest: a message, not a table. */
export const DIGEST_ROWS_MAX = 10;
/** Bytes of a digest, so that a message with it stays small: where ids and names are long it has fewer rows. */
export const DIGEST_BYTES_MAX = 15_000;
/** Digests of a project. */
export const DIGESTS_MAX = 50;
/** Digests that one run of the cron trigger makes: each asks the database some twenty times, and a run can ask a thousand times. */
export const DIGESTS_PER_RUN_MAX = 40;
/** So many at a time: one of a large project must not hold up the others, nor all of them the database. */
export const DIGESTS_AT_ONCE = 4;
/** How long a run begins digests: what is left waits for the next run, which comes after five minutes. */
export const DIGESTS_RUN_MS = 60_000;
/** A digest that could not be made is tried again after as long as it has waited, within these. */
export const DIGEST_RETRY_MS_MIN = 5 * 60_000;
export const DIGEST_RETRY_MS_MAX = 6 * 3_600_000;
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

/** Customers whose meters are told at once of a threshold of all customers: seconds of work. */
export const THRESHOLD_TOLD_MAX = 1_000;

/** How long an answer of a report is given out although nothing has changed: what "silent for 36 hours" means moves on. */
export const SNAPSHOT_MS_MAX = 5 * 60_000;
/** While usage changes, an answer is given out for this many times as long as it took to make. */
export const SNAPSHOT_SHARE = 20;
/** Bytes of an answer that is kept: a row of D1 takes 2 MB. */
export const SNAPSHOT_BYTES_MAX = 1_500_000;
/** How long an answer that another request makes is waited for: a question to the database is cut off after thirty seconds. */
export const SNAPSHOT_WAIT_MS = 35_000;
/** Answers that are kept of a project: whoever varies a question makes the oldest go, and not the database full. */
export const SNAPSHOTS_MAX = 200;
/** Answers that nobody asked for this long are forgotten. */
export const SNAPSHOT_KEPT_MS = 24 * 3_600_000;

/** How long a secret signs along after it was rotated when the request does not say: a day to deploy the new one. */
export const OLD_SECRET_SECONDS_DEFAULT = 86_400;
/** A destination is tested at most once in this time: nobody floods a stranger's server through ours. */
export const TEST_PAUSE_MS = 5_000;

/** Customers times metrics of one list: each is looked up day by day. */
export const CUSTOMER_CELLS_MAX = 20_000;
/** Customers of one file; the next ones follow its `Link`. */
export const CUSTOMER_FILE_ROWS_MAX = 10_000;
/** Metrics in which customers can be last seen when a list is ordered by it: all days of each are looked at. */
export const LAST_SEEN_METRICS_MAX = 20;
/** Customers that are ordered by a metric at a time, and kept for the pages that follow. */
export const CUSTOMERS_RANKED_MAX = 10_000;

/** What a question of `POST /v1/query` is grouped by, and ordered by: more is no table that anybody reads. */
export const QUERY_GROUPS_MAX = 3;
export const QUERY_ORDERS_MAX = 3;
/** Customers that a question names, and values of one label. */
export const QUERY_CUSTOMERS_MAX = 500;
export const QUERY_VALUES_MAX = 200;
/** Rows of an answer, and when the request does not say: about 2 MB of JSON. */
export const QUERY_LIMIT_MAX = 10_000;
export const QUERY_LIMIT_DEFAULT = 1_000;
/** Rows before they are ordered and cut: what a Worker sorts within its memory. */
export const QUERY_CELLS_MAX = 100_000;
/** Customers' days that one question reads: the database adds up so many in some ten seconds, and is cut off after thirty. */
export const QUERY_DAYS_MAX = 1_000_000;
/** The same where each is taken apart into labels or segments, which is JSON. */
export const QUERY_SPLIT_DAYS_MAX = 300_000;
/** The same where each is taken apart into hours, of which a day has many: those of a day that a zone's midnight cuts, too. */
export const QUERY_HOURLY_DAYS_MAX = 150_000;
/** Ways of looking at a metric whose versions differ, in one question: each is a part of the statement. */
export const QUERY_VIEWS_MAX = 5;

/** Measures of a question over the archive, and rows of its result: they are kept with the job. */
export const ARCHIVE_MEASURES_MAX = 10;
export const ARCHIVE_ROWS_MAX = 1_000;
/** Characters of that result: with the job's other fields it has to fit a row of D1, which takes 2 MB. */
export const ARCHIVE_RESULT_LENGTH_MAX = 500_000;
/**
 * Objects of the archive that one question reads. A month of a project with a batch every five seconds, and the
 * weeks after it in which its events may still arrive, are 1.25 million: hours of work, a slice at a time.
 */
export const ARCHIVE_OBJECTS_MAX = 2_000_000;
/** Groups of a question over the archive, ids that tell copies of its events, and distinct values: what a Worker holds. */
export const ARCHIVE_GROUPS_MAX = 10_000;
export const ARCHIVE_IDS_MAX = 1_000_000;
export const ARCHIVE_DISTINCT_MAX = 200_000;
/** Questions over the archive that a project can have under way: each takes a runner of its jobs. */
export const ARCHIVE_QUERIES_MAX = 3;
/** Properties that a question over the archive is grouped by. */
export const ARCHIVE_PROPERTIES_MAX = 2;

/** Characters of a tool's answer: agents read some 25,000 tokens of one, and JSON has three characters to a token. */
export const TOOL_ANSWER_LENGTH_MAX = 75_000;

/** Links that open nothing, from one address in so many seconds: a person mistypes a few, a guesser many. Both stand in wrangler.toml as well. */
export const FAILED_OPENINGS_MAX = 30;
export const FAILED_OPENINGS_SECONDS = 60;
/** What a link showed is shown again for this long: a link that was taken back is closed everywhere as soon. */
export const RENDERED_MS_MAX = 10_000;
/** Pages and files that one isolate keeps for that, and their characters: a small part of its memory. */
export const RENDERED_ENTRIES_MAX = 500;
export const RENDERED_LENGTH_MAX = 8_000_000;
/** Characters of one of them: however large a file is, others stay beside it. */
export const RENDERED_ENTRY_LENGTH_MAX = RENDERED_LENGTH_MAX / 2;
/** Rows of a table on a published page, which nobody reads to its end: its files have all of them. */
export const PUBLISHED_ROWS_MAX = 100;
/** How long links of near-limit show an answer: each asks up to `NEAR_LIMIT_CANDIDATES_MAX` meters. */
export const PUBLISHED_NEAR_LIMIT_MS = 60_000;

/** Rows of each backlog that `GET /metrics` counts: it is asked several times a minute. */
export const FIGURES_ROWS_MAX = 5_000;
/** Customers' days that each of its sums of events adds up, and customers that it counts: a few seconds of the database. */
export const FIGURES_DAYS_MAX = 500_000;
/** How long it repeats what the days before today came to: they are forty times as many, and hardly change. */
export const FIGURES_BEFORE_MS = 3_600_000;
/** Customers in `GET /metrics` when the request asks for them and does not say how many. */
export const FIGURES_TOP_DEFAULT = 50;
