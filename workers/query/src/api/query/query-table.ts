import type { QueryAnswer, QueryColumn, QueryRow } from "@tidemark/contract/query-schema";
import type { ReportCell, ReportColumn, ReportTable } from "@tidemark/contract/report-table";
import { LABEL_PREFIX } from "@tidemark/contract/query-words";
import { startOf, zoned } from "@tidemark/core/time-zone";
import { parseTimestamp } from "@tidemark/core/timestamp";

/** The answer to an ad-hoc question, as people read it. */
export function toQueryTable(answer: QueryAnswer): ReportTable {
  const { columns, data } = answer;
  const groups = columns.filter((column) => column.in === "group");
  const measure = columns.findIndex(({ kind }) => kind === "quantity" || kind === "count");
  return {
    title: groups.length === 0 ? answer.name : `${answer.name} by ${groups.map(nameOf).join(", ")}`,
    summary: summarize(answer, groups),
    columns: columns.map((column) => toColumn(column, answer)),
    rows: data.map((row) => columns.map((column) => toCell(row, column))),
    chart: groups.length === 1 && measure >= 0 && data.length > 1 ? { label: 0, value: measure } : null,
    notes: toNotes(answer),
    empty: "Nothing was counted in this time: ask for more days, or with fewer conditions.",
    as_of: answer.as_of,
    time_zone: answer.time_zone,
    approximate: answer.approximate,
  };
}

/** A map, because a label can be called what every object has. */
const TITLES: ReadonlyMap<string, string> = new Map([
  ["customer", "Customer"],
  ["segment", "Segment"],
  ["hour", "Hour"],
  ["day", "Day"],
  ["week", "Week from"],
  ["month", "Month"],
  ["hour_of_day", "Hour of day"],
  ["day_of_week", "Day of week"],
  ["events", "Events"],
  ["active_days", "Active days"],
  ["customers", "Customers"],
  ["last_seen_at", "Last seen"],
  ["rejected", "Rejected"],
]);

/** A label under its own name, also where it has that of a group. */
function nameOf({ name }: QueryColumn): string {
  return TITLES.get(name)?.toLowerCase() ?? labelOf(name);
}

function labelOf(name: string): string {
  return name.startsWith(LABEL_PREFIX) ? name.slice(LABEL_PREFIX.length) : name;
}

function toColumn({ name, in: part, key, kind }: QueryColumn, { unit, name: metric }: QueryAnswer): ReportColumn {
  const own = part === "group" ? (TITLES.get(name) ?? labelOf(name)) : (TITLES.get(key) ?? metric);
  switch (part) {
    case "group":
      return { key: name, title: own, kind };
    case "values":
      return { key: name, title: own, kind, ...(key === "value" ? { hint: unit } : {}) };
    case "previous":
      return { key: name, title: `${own} before`, kind, ...(key === "value" ? { hint: unit } : {}) };
    case "change":
      return { key: name, title: "Change", hint: own, kind };
  }
}

const WEEKDAYS = ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

function toCell(row: QueryRow, { in: part, key, kind }: QueryColumn): ReportCell {
  const value = row[part]?.[key] ?? null;
  if (value === null) return null;
  const text = String(value);
  if (kind === "customer") return { customer_id: text, name: row.name ?? null };
  if (part !== "group") return text;
  return key === "day_of_week" ? (WEEKDAYS[Number(text) - 1] ?? text) : text;
}

function summarize(answer: QueryAnswer, groups: readonly QueryColumn[]): string {
  const [first] = answer.data;
  const column = answer.columns.find(({ in: part, kind }) => part === "values" && kind !== "instant");
  const figure = column === undefined ? null : (first?.values[column.key] ?? null);
  const time = spanOf(answer);
  if (first === undefined) return `${answer.name}: nothing was counted ${time}.`;
  if (groups.length === 0) {
    if (column === undefined || figure === null) return `${answer.name}: there is nothing to measure ${time}.`;
    return column.key === "value"
      ? `${answer.name}: ${figure} ${answer.unit} ${time}.`
      : `${answer.name}: ${figure} ${nameOf(column)} ${time}.`;
  }
  const rows = answer.total_rows === 1 ? "One row" : `${answer.total_rows} rows`;
  const shown = answer.truncated ? `, of which ${answer.data.length} are shown` : "";
  return `${rows} by ${groups.map(nameOf).join(", ")} ${time}${shown}.`;
}

/** From when to when, in the answer's zone: its first and its last day, or hours where it begins or ends within one. */
function spanOf({ from, to, time_zone }: QueryAnswer): string {
  const [start, end] = [zoned(parseTimestamp(from), time_zone), zoned(parseTimestamp(to), time_zone)];
  const isWhole = [start, end].every((at) => startOf(at.toPlainDate(), time_zone) === at.epochMilliseconds);
  const [first, last] = isWhole
    ? [start.toPlainDate(), end.toPlainDate().subtract({ days: 1 })].map(String)
    : [start, end].map((at) => at.toPlainDateTime().toString({ smallestUnit: "minute" }).replace("T", " "));
  return first === last ? `on ${first} (${time_zone})` : `from ${first} to ${last} (${time_zone})`;
}

/** Values of a label that a sentence names. */
const NAMED_MAX = 5;

/** Under which conditions the numbers are. Customers are not named: whoever reads the table may not know them. */
function toConditions({ customers, labels, segment }: QueryAnswer["conditions"]): readonly string[] {
  const parts = Object.entries(labels).map(([label, values]) => {
    const named = values.slice(0, NAMED_MAX).map((value) => (value === "" ? "(none)" : value));
    const others = values.length > NAMED_MAX ? [`${values.length - NAMED_MAX} more`] : [];
    return `with ${label} ${[...named, ...others].join(" or ")}`;
  });
  if (segment !== null) parts.unshift(`in the segment ${segment}`);
  if (customers !== null) parts.unshift(customers === 1 ? "of one customer" : `of ${customers} customers`);
  return parts.length === 0 ? [] : [`Only events ${parts.join(", ")} are counted.`];
}

function toNotes(answer: QueryAnswer): readonly string[] {
  const notes = [...toConditions(answer.conditions)];
  const compares = answer.previous_from !== null;
  if (answer.incomplete_from !== null)
    notes.push(
      compares
        ? "Today is not over: it counts in the figures, and changes leave the last day out on both sides."
        : "Today is not over.",
    );
  if (compares) notes.push("“Before” is the time of the same length just before.");
  if (answer.truncated) notes.push(`${answer.total_rows - answer.data.length} more rows are not shown.`);
  if (answer.approximate) notes.push("Distinct counts of many ids are estimates, within about two per cent.");
  if (answer.overflow) notes.push("Days of customers beyond 64 bits are left out.");
  return notes;
}
