/** Where a set of books keeps what its row cannot hold. The names are ours and go into SQL as they are. */
export interface BookTables {
  readonly slots: string;
  readonly parts: string;
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
