/**
 * Every limit that a caller can meet, with its reason. Sizes are bytes of UTF-8, lengths UTF-16 code
 * units, times milliseconds.
 */

/** Characters of an event id; CloudEvents' source and id share it. */
export const ID_LENGTH_MAX = 256;
/** Characters of an event name or a customer id. */
export const NAME_LENGTH_MAX = 128;
/** Objects and arrays inside each other in `properties`: deeper bodies break serialisation further on. */
export const PROPERTY_DEPTH_MAX = 8;
/** Values in `properties`, counted through all levels. */
export const PROPERTY_NODES_MAX = 512;
/** Characters of a property's key. */
export const PROPERTY_KEY_LENGTH_MAX = 128;

/** Events in one request. */
export const BATCH_EVENTS_MAX = 10_000;
/** A request's body, after decompression. */
export const BODY_BYTES_MAX = 5_000_000;
/** A queue message: above 64,000 bytes the platform bills it twice. */
export const MESSAGE_BYTES_MAX = 64_000;
/** An event, serialised: it has to fit into one message with its envelope. */
export const EVENT_BYTES_MAX = 60_000;
/** Messages and bytes in one `sendBatch`; the platform takes 100 and 256 kB. */
export const SEND_BATCH_MESSAGES_MAX = 90;
export const SEND_BATCH_BYTES_MAX = 200_000;

/** How far back an event may have happened when it is received. */
export const EVENT_AGE_MS_MAX = 35 * 86_400_000;
/** How far ahead of the server a client's clock may be. */
export const EVENT_AHEAD_MS_MAX = 5 * 60_000;
/** Fingerprints are kept until the event is this many days old: the age limit and a week in flight. */
export const MEMORY_DAYS = 42;

/** A management request's body. */
export const JSON_BODY_BYTES_MAX = 100_000;
/**
 * Label groups of one metric on one customer's day, and characters of their labels, so that a day fits a
 * row; what exceeds either is counted under one visible group. A group of a distinct count can hold
 * 52,000 characters of ids, one of a latest value 1,500 of times.
 */
export const LABEL_LIMITS = {
  groupsMax: 1_000,
  latestGroupsMax: 400,
  distinctGroupsMax: 20,
  textMax: 200_000,
  otherLabel: "(other)",
} as const;

/** Filters inside each other. */
export const FILTER_DEPTH_MAX = 5;
/** Conditions and groups of one filter tree: each is looked at for every event. */
export const FILTER_NODES_MAX = 100;
/** Values of one `in` or `not_in`. */
export const FILTER_VALUES_MAX = 200;
/** Characters of a condition's value. */
export const FILTER_VALUE_LENGTH_MAX = 256;
/** Segments of a metric: an event can be in several, and each combination is a group of its own. */
export const SEGMENTS_MAX = 6;
/** The same for a distinct count, where each combination holds ids. */
export const DISTINCT_SEGMENTS_MAX = 3;
/** Event names a metric listens to. */
export const MATCHERS_MAX = 20;
/** Properties a metric shows of its events. */
export const EXPOSED_KEYS_MAX = 20;
/** Versions of a metric. */
export const METRIC_VERSIONS_MAX = 50;
/** Products of a project. */
export const PRODUCTS_MAX = 500;
/** Events of one preview. */
export const PREVIEW_EVENTS_MAX = 100;

/** The latest events that a meter keeps to show. */
export const RECENT_EVENTS_MAX = 20;
/** Characters of a property that is shown, or of a value that was rejected. */
export const SHOWN_LENGTH_MAX = 200;

/** Metrics of a project: evaluation stays flat, but each day's row set grows with them. */
export const METRICS_MAX = 200;
/** Labels a metric can be split by. */
export const GROUP_BY_MAX = 5;
/** Days a usage query or report can span. */
export const RANGE_DAYS_MAX = 400;
/** Rows of a page of a list. */
export const PAGE_LIMIT_MAX = 500;
/** Rows of a report. */
export const REPORT_LIMIT_MAX = 500;

/** How long an isolate trusts a key it has looked up: the bound on a revoked key's life. */
export const KEY_CACHE_MS = 10_000;
/** How long an ingest key outlives its last look-up while the database does not answer. */
export const KEY_STALE_MS = 10 * 60_000;

/** Thresholds of one metric for all customers, and as many for one: each is looked at with every count. */
export const METRIC_THRESHOLDS_MAX = 20;

/** Thresholds of a project: whoever keeps the catalog reads them again with each change of one. */
export const THRESHOLDS_MAX = 1_000;
/** Allowances and subscriptions that a customer can have at a time: a meter keeps all of them in memory. */
export const DEFINITIONS_MAX = 200;
/** The same with those that have ended. */
export const DEFINITIONS_EVER_MAX = 2_000;
/** Prices of a product: each is a line of every statement. */
export const PRICES_MAX = 20;
/** Distinct values that a limit can admit in a cycle: each is remembered, because a limit must not guess. */
export const UNIQUE_LIMIT_MAX = 100_000;
/** How long after its end a cycle can still change. */
export const GRACE_SECONDS_MAX = 31 * 86_400;
/** How long a cycle can be: about three years. Distinct values of a cycle are remembered for longer. */
export const CYCLE_COUNT_MAX = { days: 1_100, weeks: 156, months: 36, years: 3 } as const;
/** Cycles for which carried units can be used. */
export const CARRIED_CYCLES_MAX = 1_000;
/** Characters of why units were granted or taken away. */
export const REASON_LENGTH_MAX = 500;

/** A decision's body. */
export const DECISION_BYTES_MAX = 64_000;
/** Metrics of one consume: each has to allow it. */
export const DECISION_ITEMS_MAX = 20;
/** How long a reservation can last, or be extended by. */
export const RESERVATION_SECONDS_MAX = 86_400;
export const RESERVATION_SECONDS_DEFAULT = 300;
/** How long a holder of a lease decides alone. */
export const LEASE_SECONDS_MAX = 3_600;
export const LEASE_SECONDS_DEFAULT = 60;
/** How long after its expiry a lease that nobody reported can be given back. */
export const LEASE_RETURN_SECONDS_MAX = 86_400;
/** How long a decision waits for its meter before the limit's `unavailable` decides. */
export const DECISION_TIMEOUT_MS = 5_000;

/** Destinations of a project: each notice is held against all of them. */
export const DESTINATIONS_MAX = 20;
/** Characters of a destination's address: what browsers and proxies take. */
export const DESTINATION_URL_LENGTH_MAX = 2_000;
/** Secrets that sign at a time: each adds 50 characters to a header. */
export const SIGNING_SECRETS_MAX = 5;
/** How long a secret can sign along after it was rotated: whoever needs longer has forgotten it. */
export const OLD_SECRET_SECONDS_MAX = 7 * 86_400;
/** Bytes of a webhook's body, as Standard Webhooks recommends. */
export const WEBHOOK_BYTES_MAX = 20_000;
/** How long a receiver may take to answer an attempt, as Standard Webhooks recommends. */
export const DELIVERY_TIMEOUT_MS = 15_000;
/** How long a delivery is kept after it ended: as long as people ask why nothing came. Older notices are told to nobody. */
export const DELIVERY_KEPT_MS = 60 * 86_400_000;
/** How long a notice is kept: until the same month of the next year has passed. */
export const NOTICE_KEPT_MS = 400 * 86_400_000;
