import type { MetricDefinition } from "@tidemark/contract/metric-schema";
import type { QueryColumn, QueryRow } from "@tidemark/contract/query-schema";
import type { Measure } from "@tidemark/contract/query-words";
import { QUERY_CELLS_MAX } from "@tidemark/contract/query-limits";
import { changeOf } from "@tidemark/core/change";
import { toInstantText } from "../../plumbing/instant.ts";
import { clamp, toQuantity } from "../../quantity.ts";
import { type CellRequest, cellNumber } from "./plan-cells.ts";
import { type Cell, type CellGroup, tooManyCells } from "./read-cells.ts";
import type { Group, ReadQuestion } from "./read-question.ts";

/** Which of a request's spans are what. */
export interface SpanRoles {
  /** `null` when nothing is compared. */
  readonly previous: number | null;
  /** What changes are told of; `null` where nothing is left of the spans without the day that is not over. */
  readonly compared: { readonly current: number; readonly previous: number } | null;
}

/**
 * Rows in their order: for each customer and label that occurs one of every slot that has begun, and every
 * segment, so that what is silent shows. Where nothing occurs, what is not grouped is still a row.
 *
 * @throws Problem invalid_request when they are too many.
 */
export function toRows(groups: readonly CellGroup[], request: CellRequest, roles: SpanRoles): readonly QueryRow[] {
  const { question, metric, slots } = request;
  const segments = question.bySegment ? metric.segments.length : 1;
  const isFree = !question.byCustomer && question.labels.length === 0;
  const known =
    groups.length === 0 && isFree ? [{ customer_id: "", group: "[]", cells: new Map<number, Cell>() }] : groups;
  if (known.length * segments * slots.slots.length > QUERY_CELLS_MAX) throw tooManyCells();
  const rows: SortableRow[] = [];
  for (const group of known) {
    for (let segment = 0; segment < segments; segment++) {
      for (let slot = 0; slot < slots.slots.length; slot++) {
        const at = (span: number): Cell | undefined => group.cells.get(cellNumber(slots, { segment, span, slot }));
        if (slots.begun[slot] === true || at(0) !== undefined)
          rows.push(toRow({ group, segment, slot }, at, { request, roles }));
      }
    }
  }
  const keys = question.order.map(({ column, direction }) => ({ read: readerOf(column, question.groups), direction }));
  const ties = question.groups.map((group) => ({ read: groupReader(group), direction: 1 as const }));
  return rows.toSorted(comparing([...keys, ...ties])).map(({ row }) => row);
}

interface SortableRow {
  readonly row: QueryRow;
  readonly segment: number;
  readonly slot: number;
  /** Exact numbers, by column. */
  readonly numbers: ReadonlyMap<string, bigint | number>;
}

function toRow(
  place: { readonly group: CellGroup; readonly segment: number; readonly slot: number },
  at: (span: number) => Cell | undefined,
  { request, roles }: { readonly request: CellRequest; readonly roles: SpanRoles },
): SortableRow {
  const { question, metric } = request;
  const numbers = new Map<string, bigint | number>();
  const write = (measure: Measure, part: "values" | "previous", span: number): string | number | null => {
    const number = numberOf(measure, at(span), metric);
    if (number !== undefined) numbers.set(`${part} ${measure}`, number);
    return show(measure, number, metric);
  };
  const compared = question.measures.filter((measure) => measure !== "last_seen_at");
  const { previous } = roles;
  const row: QueryRow = {
    group: nameGroup(place, request),
    values: Object.fromEntries(question.measures.map((measure) => [measure, write(measure, "values", 0)])),
    ...(previous === null
      ? {}
      : {
          previous: Object.fromEntries(compared.map((measure) => [measure, write(measure, "previous", previous)])),
          change: Object.fromEntries(compared.map((measure) => [measure, changeIn(measure, at, { request, roles })])),
        }),
  };
  return { row, segment: place.segment, slot: place.slot, numbers };
}

function changeIn(
  measure: Measure,
  at: (span: number) => Cell | undefined,
  { request, roles: { compared } }: { readonly request: CellRequest; readonly roles: SpanRoles },
): string | null {
  if (compared === null) return null;
  const [now, before] = [at(compared.current), at(compared.previous)].map((cell) =>
    numberOf(measure, cell, request.metric),
  );
  return changeOf(now ?? 0, before ?? 0);
}

/** What a measure is in a cell; `undefined` where there is nothing to measure. */
function numberOf(measure: Measure, cell: Cell | undefined, metric: MetricDefinition): bigint | number | undefined {
  switch (measure) {
    case "value":
      return cell?.total === undefined ? emptyValue(metric) : clamp(cell.total, metric);
    case "last_seen_at":
      return cell?.last_at ?? undefined;
    case "events":
    case "active_days":
    case "customers":
    case "rejected":
      return cell?.[measure] ?? 0;
  }
}

function emptyValue(metric: MetricDefinition): bigint | undefined {
  return toQuantity(undefined, metric) === null ? undefined : 0n;
}

function show(measure: Measure, number: bigint | number | undefined, metric: MetricDefinition): string | number | null {
  if (measure === "value") return number === undefined ? null : toQuantity(BigInt(number), metric);
  if (measure === "last_seen_at") return number === undefined ? null : toInstantText(Number(number));
  return Number(number);
}

function nameGroup(
  { group, segment, slot }: { readonly group: CellGroup; readonly segment: number; readonly slot: number },
  { question, metric, slots }: CellRequest,
): Record<string, string> {
  const labels = JSON.parse(group.group) as readonly string[];
  const names = question.groups.map((own): [string, string] => {
    switch (own.kind) {
      case "customer":
        return [own.name, group.customer_id];
      case "segment":
        return [own.name, metric.segments[segment]?.name ?? ""];
      case "time":
        return [own.name, slots.slots[slot]?.[question.times.indexOf(own.name)] ?? ""];
      case "label":
        return [own.name, labels[question.labels.indexOf(own.label)] ?? ""];
    }
  });
  return Object.fromEntries(names);
}

type Key = string | bigint | number | undefined;

interface SortKey {
  readonly read: (row: SortableRow) => Key;
  readonly direction: 1 | -1;
}

function readerOf(column: QueryColumn, groups: readonly Group[]): SortKey["read"] {
  const group = groups.find(({ name }) => column.in === "group" && name === column.key);
  if (group !== undefined) return groupReader(group);
  if (column.in !== "change") return ({ numbers }) => numbers.get(`${column.in} ${column.key}`);
  return ({ row }) => {
    const change = row.change?.[column.key] ?? null;
    // A change has four places at most, so its double tells it exactly.
    return change === null ? undefined : Number(change);
  };
}

/** Segments stand as the metric has them; days, hours of the day and the like in their order. */
function groupReader(group: Group): SortKey["read"] {
  switch (group.kind) {
    case "segment":
      return ({ segment }) => segment;
    case "time":
      return ({ row }) => (row.group[group.name] ?? "").padStart(2, "0");
    case "customer":
    case "label":
      return ({ row }) => row.group[group.name] ?? "";
  }
}

function comparing(keys: readonly SortKey[]): (a: SortableRow, b: SortableRow) => number {
  return (a, b) => {
    for (const { read, direction } of keys) {
      const [left, right] = [read(a), read(b)];
      if (left === right) continue;
      // What is not there comes last, whatever the direction.
      if (left === undefined) return 1;
      if (right === undefined) return -1;
      return left < right ? -direction : direction;
    }
    return 0;
  };
}

/** Which numbers a reader of the question may rely on. */
export function isApproximate(groups: readonly CellGroup[], question: ReadQuestion): boolean {
  return (
    question.measures.includes("value") &&
    groups.some(({ cells }) => [...cells.values()].some((cell) => cell.approximate === true))
  );
}
