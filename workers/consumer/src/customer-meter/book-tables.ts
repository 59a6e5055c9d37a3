/** Where a memory of ids keeps what its row cannot hold. The names are ours and go into SQL as they are. */
export interface IdTables {
  readonly slots: string;
  readonly parts: string;
}

/** The same of a set of books. */
export interface BookTables extends IdTables {
  readonly days: string;
}

/** What the meter counts in. */
export const MAIN_TABLES: BookTables = { slots: "id_slots", parts: "id_parts", days: "days" };

/** A second set of books, while something is recounted from the archive. */
export const RECOUNT_TABLES: BookTables = {
  slots: "recount_id_slots",
  parts: "recount_id_parts",
  days: "recount_days",
};

/** The ids of decisions. */
export const DECISION_TABLES: IdTables = { slots: "decision_id_slots", parts: "decision_id_parts" };

/** What has been counted in a cycle of a limit on distinct values. */
export const MEMBER_TABLES: IdTables = { slots: "member_slots", parts: "member_parts" };
