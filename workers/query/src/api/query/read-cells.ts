import { QUERY_CELLS_MAX } from "@tidemark/contract/query-limits";
import { type CellQuestion, readEvents, readValues } from "@tidemark/db/ad-hoc-query";
import { invalid } from "../../plumbing/issues.ts";
import { checkDays } from "./check-days.ts";
import { foldDistinct } from "./fold-distinct.ts";
import { type CellRequest, checkExactness, planSpans, planViews } from "./plan-cells.ts";

/** What is known of one cell; where nothing counted, nothing. */
export interface Cell {
  readonly total?: bigint;
  readonly approximate?: boolean;
  readonly events?: number;
  readonly active_days?: number;
  readonly customers?: number;
  readonly rejected?: number;
  readonly last_at?: number | null;
}

/** A customer with labels, or either, or neither. */
export interface CellGroup {
  readonly customer_id: string;
  /** The labels as a JSON array. */
  readonly group: string;
  /** By their numbers. */
  readonly cells: ReadonlyMap<number, Cell>;
}

export interface Cells {
  readonly groups: readonly CellGroup[];
  readonly rows_read: number;
  readonly overflow: boolean;
}

/**
 * Reads what a question's cells come to.
 *
 * @throws Problem invalid_request where that is too much, or cannot be told exactly.
 */
export async function readCells(db: D1Database, request: CellRequest): Promise<Cells> {
  checkExactness(request);
  const plan = planSpans(request.slots);
  const views = planViews(request, plan);
  const rows_read = await checkDays(db, request, { views, plan });
  const { project_id, metric, question, customer_ids, slots } = request;
  const { aggregation } = metric;
  const cells: CellQuestion = {
    project_id,
    plan,
    views,
    customer_ids,
    by_customer: question.byCustomer,
    days: slots.days,
    limit: QUERY_CELLS_MAX + 1,
  };
  const { measures } = question;
  const distinct = { days: measures.includes("active_days"), customers: measures.includes("customers") };
  const hasViews = views.length > 0;
  const wantsValue = hasViews && measures.includes("value");
  const wantsEvents = hasViews && measures.some((measure) => measure !== "value");
  const [values, ids, events] = await Promise.all([
    wantsValue && aggregation !== "unique" ? readValues(db, cells, aggregation) : [],
    wantsValue && aggregation === "unique" ? foldDistinct(db, request) : [],
    wantsEvents ? readEvents(db, cells, distinct) : [],
  ]);
  if (Math.max(values.length, ids.length, events.length) > QUERY_CELLS_MAX) throw tooManyCells();
  return {
    groups: mergeCells([...values, ...ids, ...events]),
    rows_read,
    overflow: values.some(({ overflow }) => overflow),
  };
}

/** A cell with its place, as it is read. */
export interface PlacedCell extends Cell {
  readonly customer_id: string;
  readonly group: string;
  readonly cell: number;
}

function mergeCells(placed: readonly PlacedCell[]): readonly CellGroup[] {
  const groups = new Map<
    string,
    { readonly customer_id: string; readonly group: string; readonly cells: Map<number, Cell> }
  >();
  for (const { customer_id, group, cell, ...known } of placed) {
    const key = `${group} ${customer_id}`;
    const own = groups.get(key) ?? { customer_id, group, cells: new Map<number, Cell>() };
    groups.set(key, own);
    own.cells.set(cell, { ...own.cells.get(cell), ...known });
  }
  return [...groups.values()];
}

/** What to say of a question whose answer would be too large to sort. */
export function tooManyCells(): Error {
  const detail = `Gives more than ${QUERY_CELLS_MAX} groups before \`limit\` cuts them: group by less, name customers in \`filter\`, or ask for fewer days.`;
  return invalid([{ pointer: "/group_by", code: "too_many_rows", detail }]);
}
