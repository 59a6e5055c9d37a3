/**
 * The meter's own schema. An object migrates itself when it next wakes, from whatever version it slept
 * with, possibly months later: steps are only ever added.
 */
const STEPS: readonly string[] = [
  `-- What changes with every call, in one row: who the customer is, the days in use, and the newest fingerprints.
   CREATE TABLE head (
     id INTEGER PRIMARY KEY CHECK (id = 1),
     state TEXT NOT NULL,
     tail BLOB NOT NULL
   ) STRICT;
   -- Days of metrics that left the head, to keep it small: a UsageDay as JSON.
   CREATE TABLE days (
     day INTEGER NOT NULL,
     metric_id TEXT NOT NULL,
     version INTEGER NOT NULL,
     body TEXT NOT NULL,
     PRIMARY KEY (day, metric_id)
   ) STRICT, WITHOUT ROWID;
   -- Fingerprints on their way from the tail to a run. Slots are written over again and again, which is
   -- one row each time; deleting would be another.
   CREATE TABLE id_slots (
     slot INTEGER PRIMARY KEY,
     records BLOB NOT NULL
   ) STRICT;
   -- Parts of sorted runs; key = run * 65536 + part. The filter stands first, so that reading it leaves
   -- the records on disk.
   CREATE TABLE id_parts (
     key INTEGER PRIMARY KEY,
     filter BLOB NOT NULL,
     records BLOB NOT NULL
   ) STRICT;`,
  `-- A second set of books, while something is recounted from the archive: in the head's row what changes
   -- with every call, in tables like the meter's own what that row cannot hold.
   ALTER TABLE head ADD COLUMN books TEXT;
   ALTER TABLE head ADD COLUMN books_tail BLOB;
   CREATE TABLE recount_days (
     day INTEGER NOT NULL,
     metric_id TEXT NOT NULL,
     version INTEGER NOT NULL,
     body TEXT NOT NULL,
     PRIMARY KEY (day, metric_id)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE recount_id_slots (
     slot INTEGER PRIMARY KEY,
     records BLOB NOT NULL
   ) STRICT;
   CREATE TABLE recount_id_parts (
     key INTEGER PRIMARY KEY,
     filter BLOB NOT NULL,
     records BLOB NOT NULL
   ) STRICT;`,
  `-- Quotas. In the head's row where the balances stand, the newest decisions and their ids, and the newest
   -- distinct values; in tables what that row cannot hold and what people define.
   ALTER TABLE head ADD COLUMN quotas TEXT;
   ALTER TABLE head ADD COLUMN decisions TEXT;
   ALTER TABLE head ADD COLUMN decision_ids BLOB;
   ALTER TABLE head ADD COLUMN members BLOB;
   -- A BalanceDefinition as JSON.
   CREATE TABLE definitions (
     id TEXT PRIMARY KEY,
     body TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   -- A MeteredMetric as JSON.
   CREATE TABLE metered (
     metric_id TEXT PRIMARY KEY,
     body TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   -- Cycles that are final.
   CREATE TABLE cycles (
     ended_at INTEGER NOT NULL,
     balance_id TEXT NOT NULL,
     label TEXT NOT NULL,
     cycle INTEGER NOT NULL,
     body TEXT NOT NULL,
     PRIMARY KEY (ended_at, balance_id, label, cycle)
   ) STRICT, WITHOUT ROWID;
   -- Stretches of decisions, oldest first: each a JSON array. The latest day of one is what ends it.
   CREATE TABLE decisions (
     chunk INTEGER PRIMARY KEY,
     until_at INTEGER NOT NULL,
     body TEXT NOT NULL
   ) STRICT;
   CREATE TABLE decision_id_slots (
     slot INTEGER PRIMARY KEY,
     records BLOB NOT NULL
   ) STRICT;
   CREATE TABLE decision_id_parts (
     key INTEGER PRIMARY KEY,
     filter BLOB NOT NULL,
     records BLOB NOT NULL
   ) STRICT;
   CREATE TABLE member_slots (
     slot INTEGER PRIMARY KEY,
     records BLOB NOT NULL
   ) STRICT;
   CREATE TABLE member_parts (
     key INTEGER PRIMARY KEY,
     filter BLOB NOT NULL,
     records BLOB NOT NULL
   ) STRICT;`,
];

/** Brings the object's schema up to date; a schema newer than this code is refused, and the call retried. */
export function migrate(storage: DurableObjectStorage): void {
  storage.transactionSync(() => {
    const { sql } = storage;
    sql.exec(
      "CREATE TABLE IF NOT EXISTS schema_version (id INTEGER PRIMARY KEY CHECK (id = 1), version INTEGER NOT NULL) STRICT",
    );
    const [row] = sql.exec<{ version: number }>("SELECT version FROM schema_version WHERE id = 1").toArray();
    const version = row?.version ?? 0;
    if (version > STEPS.length) throw new Error(`The meter has schema ${version}; this code knows ${STEPS.length}.`);
    if (version === STEPS.length) return;
    for (const step of STEPS.slice(version)) sql.exec(step);
    sql.exec(
      "INSERT INTO schema_version (id, version) VALUES (1, ?) ON CONFLICT DO UPDATE SET version = excluded.version",
      STEPS.length,
    );
  });
}
