import type { QueryAnswer, QueryQuestion } from "@tidemark/contract/query-schema";
import { TIME_GROUPS } from "@tidemark/contract/query-words";
import { orderEquals } from "./order-equals.ts";

type QueryColumn = QueryAnswer["columns"][number];
type QueryRow = QueryAnswer["data"][number];

/** A query's answer whose customers have other names; one that does not tell customers apart stays as it is. */
export function aliasQuery(
  answer: QueryAnswer,
  orders: QueryQuestion["order_by"],
  aliasOf: (id: string) => string,
): QueryAnswer {
  const key = customerKeyOf(answer);
  if (key === undefined) return answer;
  const place = placeColumns(answer.columns, orders);
  const data = answer.data.map(({ group, values, previous, change }): QueryRow => ({
    group: { ...group, [key]: aliasOf(group[key] ?? "") },
    name: null,
    values,
    ...(previous === undefined ? {} : { previous }),
    ...(change === undefined ? {} : { change }),
  }));
  const ordered = orderEquals(data, (row) => ({
    place: place.map((column) => row[column.in]?.[column.key]),
    alias: row.group[key] ?? "",
  }));
  return { ...answer, data: [...ordered] };
}

/** Under what a query's rows have their customer; `undefined` where it does not tell customers apart. */
export function customerKeyOf({ columns }: Pick<QueryAnswer, "columns">): string | undefined {
  return columns.find(isCustomer)?.key;
}

/** What rows are ordered by, and equals by their groups: as far as the first of these that is the customer. */
function placeColumns(columns: readonly QueryColumn[], orders: QueryQuestion["order_by"]): readonly QueryColumn[] {
  const groups = columns.filter((column) => column.in === "group");
  const asked = orders.flatMap(({ by }) => columns.find(({ name }) => name === by) ?? []);
  const all = [...(asked.length > 0 ? asked : defaultOrder(columns, groups)), ...groups];
  return all.slice(0, all.findIndex(isCustomer));
}

/** Time where rows are grouped by it, and otherwise the first measure. */
function defaultOrder(columns: readonly QueryColumn[], groups: readonly QueryColumn[]): readonly QueryColumn[] {
  const times = groups.filter(({ name }) => TIMES.has(name));
  return times.length > 0 ? times : columns.slice(groups.length, groups.length + 1);
}

const TIMES: ReadonlySet<string> = new Set(TIME_GROUPS);

function isCustomer(column: QueryColumn): boolean {
  return column.in === "group" && column.kind === "customer";
}
