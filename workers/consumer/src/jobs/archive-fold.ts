import type { ArchiveQuery } from "@tidemark/contract";
import type { ArchiveMeasure, ArchiveResult } from "@tidemark/contract/query-schema";
import { archiveMeasureName, PROPERTY_PREFIX } from "@tidemark/contract/query-words";
import {
  ARCHIVE_DISTINCT_MAX,
  ARCHIVE_GROUPS_MAX,
  ARCHIVE_IDS_MAX,
  ARCHIVE_RESULT_LENGTH_MAX,
} from "@tidemark/contract/query-limits";
import {
  ABSENT,
  DECIMAL_PLACES_MAX,
  FingerprintSet,
  formatExact,
  hash52,
  hashId,
  toExact,
  toInstant,
  toLabel,
  type UsageEvent,
} from "@tidemark/core";
import { compileFilter, type Filter } from "@tidemark/core/filter";
import { readerOf } from "@tidemark/core/property";
import { dateOf } from "@tidemark/core/time-zone";

/** What a fold holds, as it is kept between slices of a job. */
export interface ArchiveState {
  readonly matched: number;
  readonly repeated: number;
  readonly groups: readonly StoredGroup[];
  /** Hashes of the ids that have been read, two words each. */
  readonly ids: Uint32Array;
}

type StoredGroup = readonly [
  key: string,
  values: readonly (string | null | readonly number[])[],
  rejected: readonly number[],
];

/** A measure of a group so far: a quantity in units of 10^-9, or distinct values. */
type Figure = bigint | null | Set<number>;

interface Group {
  readonly values: Figure[];
  readonly rejected: number[];
}

type Reader = (event: UsageEvent, instant: number) => string;

/** Zones are whole quarters of an hour from UTC. */
const QUARTER_MS = 900_000;

/**
 * Answers a question event by event. An id counts once for its customer, as in a meter: the archive holds an
 * event again when a queue delivered it twice or a client sent it twice. Of different events with one id the
 * first that matches counts: to know the first of all, every id that was received would have to be remembered.
 */
export class ArchiveFold {
  readonly #query: ArchiveQuery;
  readonly #names: ReadonlySet<string>;
  readonly #customers: ReadonlySet<string> | null;
  readonly #passes: Filter | null;
  readonly #groupReaders: readonly Reader[];
  readonly #valueReaders: readonly (((event: UsageEvent) => unknown) | null)[];
  readonly #groups = new Map<string, Group>();
  readonly #ids = new FingerprintSet();
  readonly #dates = new Map<number, string>();
  readonly #words = new Uint32Array(2);
  /** The same ids as they are kept, in an array that doubles: there can be a million. */
  #idWords = new Uint32Array(1_024);
  #matched = 0;
  #repeated = 0;
  #distinct = 0;

  constructor(query: ArchiveQuery) {
    const { question } = query;
    this.#query = query;
    this.#names = new Set(question.event_matchers.map(({ event }) => event));
    this.#customers = question.customers === undefined ? null : new Set(question.customers);
    this.#passes = question.filters === null ? null : compileFilter(question.filters);
    this.#groupReaders = question.group_by.map((name) => this.#groupReader(name));
    this.#valueReaders = question.measures.map(({ property }) => {
      if (property === undefined) return null;
      const read = readerOf(property);
      return ({ properties }) => read(properties);
    });
  }

  /** Goes on from what was kept. */
  static from(query: ArchiveQuery, { matched, repeated, groups, ids }: ArchiveState): ArchiveFold {
    const fold = new ArchiveFold(query);
    fold.#matched = matched;
    fold.#repeated = repeated;
    for (const [key, values, rejected] of groups) {
      const figures = values.map((value): Figure => {
        if (value === null) return null;
        return typeof value === "string" ? BigInt(value) : new Set(value);
      });
      for (const figure of figures) if (figure instanceof Set) fold.#distinct += figure.size;
      fold.#groups.set(key, { values: figures, rejected: [...rejected] });
    }
    for (let at = 0; at < ids.length; at += 2) fold.#keep(ids[at] ?? 0, ids[at + 1] ?? 0);
    return fold;
  }

  get matched(): number {
    return this.#matched;
  }

  /** Why it holds too much to go on, with what to do; `undefined` while it does not. */
  get excess(): string | undefined {
    if (this.#ids.size > ARCHIVE_IDS_MAX)
      return `More than ${ARCHIVE_IDS_MAX} events match, and the id of each has to be remembered to count it once: ask for a shorter range, fewer event names or narrower filters.`;
    if (this.#groups.size > ARCHIVE_GROUPS_MAX)
      return `There are more than ${ARCHIVE_GROUPS_MAX} groups: group by less, or filter.`;
    if (this.#distinct > ARCHIVE_DISTINCT_MAX)
      return `There are more than ${ARCHIVE_DISTINCT_MAX} distinct values in all groups together: ask for a shorter range or narrower filters, or leave \`unique\` out.`;
    return undefined;
  }

  add(event: UsageEvent, receivedAt: number): void {
    // What was admitted while a meter could not be reached is a decision.
    if (event.consumed !== undefined) return;
    const { from, to } = this.#query;
    const { timestamp } = event;
    const instant = timestamp === undefined ? receivedAt : toInstant(timestamp);
    // An event without a time has that of its receipt: a copy of it within the range may have counted before.
    if (instant >= to || (instant < from && timestamp !== undefined) || !this.#matches(event)) return;
    const isCopy = !this.#remember(event);
    if (instant < from) return;
    if (isCopy) {
      this.#repeated++;
      return;
    }
    this.#matched++;
    const key = JSON.stringify(this.#groupReaders.map((read) => read(event, instant)));
    const group = this.#groups.get(key) ?? this.#newGroup();
    this.#groups.set(key, group);
    this.#query.question.measures.forEach((measure, index) => {
      this.#measure(group, measure, index, event);
    });
  }

  #matches({ event, customer_id, properties }: UsageEvent): boolean {
    if (this.#customers?.has(customer_id) === false) return false;
    if (this.#names.size > 0 && !this.#names.has(event)) return false;
    return this.#passes === null || this.#passes(properties);
  }

  /** @returns whether the id is new. */
  #remember({ customer_id, id }: UsageEvent): boolean {
    hashId(`${customer_id.length}:${customer_id}${id}`, this.#words, 0);
    const [low = 0, high = 0] = this.#words;
    if (this.#ids.find(low, high) !== ABSENT) return false;
    this.#keep(low, high);
    return true;
  }

  #keep(low: number, high: number): void {
    const at = this.#ids.size * 2;
    if (at === this.#idWords.length) {
      const words = new Uint32Array(at * 2);
      words.set(this.#idWords);
      this.#idWords = words;
    }
    this.#idWords[at] = low;
    this.#idWords[at + 1] = high;
    this.#ids.add(low, high, 0);
  }

  #measure({ values, rejected }: Group, { of }: ArchiveMeasure, index: number, event: UsageEvent): void {
    const found = this.#valueReaders[index]?.(event);
    const known = values[index] ?? null;
    const reject = (): void => {
      rejected[index] = (rejected[index] ?? 0) + 1;
    };
    if (of === "count") values[index] = toBig(known) + UNIT;
    else if (of === "unique") {
      const isId =
        found !== "" && (typeof found === "string" || typeof found === "number" || typeof found === "boolean");
      if (!isId || !(known instanceof Set)) return reject();
      const before = known.size;
      known.add(hash52(String(found)));
      this.#distinct += known.size - before;
    } else {
      const value = exactly(found);
      if (value === undefined) return reject();
      if (of === "sum") values[index] = toBig(known) + value;
      else if (known === null || (of === "min" ? value < toBig(known) : value > toBig(known))) values[index] = value;
    }
  }

  #newGroup(): Group {
    const { measures } = this.#query.question;
    const empty = ({ of }: ArchiveMeasure): Figure => {
      if (of === "unique") return new Set();
      return of === "min" || of === "max" ? null : 0n;
    };
    return { values: measures.map(empty), rejected: measures.map(() => 0) };
  }

  #groupReader(name: string): Reader {
    if (name === "customer") return ({ customer_id }) => customer_id;
    if (name === "event") return ({ event }) => event;
    if (name === "day") return (_, instant) => this.#dateOf(instant);
    const read = readerOf(name.startsWith(PROPERTY_PREFIX) ? name.slice(PROPERTY_PREFIX.length) : name);
    return ({ properties }) => toLabel(read(properties));
  }

  #dateOf(instant: number): string {
    const quarter = Math.floor(instant / QUARTER_MS);
    const date = this.#dates.get(quarter) ?? dateOf(instant, this.#query.time_zone);
    this.#dates.set(quarter, date);
    return date;
  }

  toState(): ArchiveState {
    const groups = Array.from(this.#groups, ([key, { values, rejected }]): StoredGroup => {
      const stored = values.map((value) => {
        if (value === null) return null;
        return typeof value === "bigint" ? value.toString() : [...value];
      });
      return [key, stored, rejected];
    });
    return {
      matched: this.#matched,
      repeated: this.#repeated,
      groups,
      ids: this.#idWords.subarray(0, this.#ids.size * 2),
    };
  }

  toResult(): ArchiveResult {
    const { group_by, limit } = this.#query.question;
    const groups: [string, Group][] = [...this.#groups];
    if (groups.length === 0 && group_by.length === 0) groups.push(["[]", this.#newGroup()]);
    const sorted = groups.toSorted(([a, left], [b, right]) => {
      const [x, y] = [sortKey(left.values[0]), sortKey(right.values[0])];
      if (x === y) return a < b ? -1 : 1;
      return x === null || (y !== null && x < y) ? 1 : -1;
    });
    const data: ArchiveResult["data"] = [];
    let length = 0;
    for (const [key, group] of sorted.slice(0, limit)) {
      const row = this.#toRow(key, group);
      length += JSON.stringify(row).length;
      if (length > ARCHIVE_RESULT_LENGTH_MAX) break;
      data.push(row);
    }
    const total_rows = groups.length;
    return { matched: this.#matched, repeated: this.#repeated, total_rows, truncated: data.length < total_rows, data };
  }

  #toRow(key: string, { values, rejected }: Group): ArchiveResult["data"][number] {
    const { measures, group_by } = this.#query.question;
    const names = measures.map(archiveMeasureName);
    const labels = JSON.parse(key) as readonly string[];
    const refused = names.flatMap((name, index) => {
      const events = rejected[index] ?? 0;
      return events === 0 ? [] : [[name, events] as const];
    });
    return {
      group: Object.fromEntries(group_by.map((name, index) => [name, labels[index] ?? ""])),
      values: Object.fromEntries(names.map((name, index) => [name, show(values[index] ?? null)])),
      ...(refused.length === 0 ? {} : { rejected: Object.fromEntries(refused) }),
    };
  }
}

/** One, in units of 10^-9. */
const UNIT = 10n ** BigInt(DECIMAL_PLACES_MAX);

function toBig(figure: Figure): bigint {
  return typeof figure === "bigint" ? figure : 0n;
}

/** A decimal of at most nine places, read with as few as it has, so that large numbers fit. */
function exactly(found: unknown): bigint | undefined {
  for (let places = 0; places <= DECIMAL_PLACES_MAX; places++) {
    const value = toExact(found, places);
    if (value === "too_precise") continue;
    return typeof value === "string" ? undefined : BigInt(value) * 10n ** BigInt(DECIMAL_PLACES_MAX - places);
  }
  return undefined;
}

function sortKey(figure: Figure | undefined): bigint | null {
  if (figure === undefined || figure === null) return null;
  return typeof figure === "bigint" ? figure : BigInt(figure.size);
}

function show(figure: Figure): string | null {
  if (figure === null) return null;
  return typeof figure === "bigint" ? formatExact(figure, DECIMAL_PLACES_MAX) : String(figure.size);
}
