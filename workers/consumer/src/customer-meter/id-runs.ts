import { ABSENT, buildFilter, cutIntoParts, findSorted, mayContain, partOf } from "@tidemark/core";
import { toBlob } from "./blob.ts";
import type { IdTables } from "./book-tables.ts";
import { FilterCache } from "./filter-cache.ts";

/** A stretch of fingerprints: how many, and the newest day that one of their events happened on. */
export interface Stretch {
  readonly id: number;
  readonly count: number;
  readonly until: number;
}

/** A sorted stretch, cut into the parts of its level. */
export interface Run extends Stretch {
  readonly level: number;
}

const PARTS_PER_RUN_MAX = 65_536;

/** Filters of every meter in this isolate, which has 128 MB. */
const filters = new FilterCache(48_000_000);

/** The parts of a meter's runs on disk, each beside its filter. */
export class IdRuns {
  readonly #sql: SqlStorage;
  readonly #table: string;
  /** Each run's filters, as far as they have been loaded, by part. */
  readonly #filters = new Map<number, PartFilters>();
  /** The runs of the last look-up, with their filters. */
  #open: { readonly runs: readonly Run[]; readonly each: readonly OpenRun[] } | undefined;

  constructor(sql: SqlStorage, tables: IdTables) {
    this.#sql = sql;
    this.#table = tables.parts;
  }

  /** The content hash that one of the runs keeps for an id, or `ABSENT`. Reads a part only when its filter says so. */
  find(runs: readonly Run[], low: number, high: number): number {
    if (this.#open?.runs !== runs) {
      this.#open = { runs, each: runs.map((run) => ({ run, filters: this.#filtersOf(run.id) })) };
    }
    for (const { run, filters: ofRun } of this.#open.each) {
      const part = partOf(high, run.level);
      const filter = ofRun[part] ?? this.#loadFilter(run.id, part, ofRun);
      if (!mayContain(filter, low, high)) continue;
      const records = this.readPart(run.id, part);
      const found = records === undefined ? ABSENT : findSorted(records, low, high);
      if (found !== ABSENT) return found;
    }
    return ABSENT;
  }

  /** Writes sorted records as parts of a run of this level: a row each. */
  writeParts(run: number, sorted: Uint32Array, level: number): void {
    for (const { part, records } of cutIntoParts(sorted, level)) {
      const statement = `INSERT INTO ${this.#table} (key, filter, records) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET filter = excluded.filter, records = excluded.records`;
      this.#sql.exec(statement, run * PARTS_PER_RUN_MAX + part, toBlob(buildFilter(records)), toBlob(records));
    }
  }

  /** A part's records, or `undefined` when it has none. */
  readPart(run: number, part: number): Uint32Array | undefined {
    const [row] = this.#sql
      .exec<{ records: ArrayBuffer }>(
        `SELECT records FROM ${this.#table} WHERE key = ?`,
        run * PARTS_PER_RUN_MAX + part,
      )
      .toArray();
    return row === undefined ? undefined : new Uint32Array(row.records);
  }

  delete(run: number): void {
    const first = run * PARTS_PER_RUN_MAX;
    this.#sql.exec(`DELETE FROM ${this.#table} WHERE key >= ? AND key < ?`, first, first + PARTS_PER_RUN_MAX);
    const ofRun = this.#filters.get(run);
    if (ofRun !== undefined) ofRun.length = 0;
    this.#filters.delete(run);
  }

  #filtersOf(run: number): PartFilters {
    const known = this.#filters.get(run);
    if (known !== undefined) return known;
    const none: PartFilters = [];
    this.#filters.set(run, none);
    return none;
  }

  #loadFilter(run: number, part: number, ofRun: PartFilters): Uint8Array {
    const [row] = this.#sql
      .exec<{ filter: ArrayBuffer }>(`SELECT filter FROM ${this.#table} WHERE key = ?`, run * PARTS_PER_RUN_MAX + part)
      .toArray();
    const filter = row === undefined ? EMPTY_FILTER : new Uint8Array(row.filter);
    filters.keep(ofRun, part, filter);
    return filter;
  }
}

type PartFilters = (Uint8Array | undefined)[];

interface OpenRun {
  readonly run: Run;
  readonly filters: PartFilters;
}

/** The filter of a part without records: it contains nothing. */
const EMPTY_FILTER = new Uint8Array(1);
