import type { Statement } from "@tidemark/contract/statement-schema";
import { type Cell, writeCsv } from "../../files.ts";

const HEADER = [
  "statement",
  "subscription",
  "product",
  "metric",
  "label",
  "cycle_start",
  "cycle_end",
  "status",
  "kind",
  "number",
  "description",
  "model",
  "segment",
  "for_cycle",
  "quantity",
  "exact_amount",
  "amount",
  "currency",
  "rounding",
];

/** A row for each line and adjustment. The amounts of a statement's rows add up to its totals. */
export function statementsCsv(statements: readonly Statement[]): string {
  return writeCsv(HEADER, statements.flatMap(toRows));
}

function toRows(statement: Statement): readonly (readonly Cell[])[] {
  const { id, subscription, product, metric, label, cycle, status } = statement;
  const first = [id, subscription, product, metric, label, cycle.start, cycle.end, status].map(toText);
  return [
    ...statement.lines.map((line, index) => [
      ...first,
      { text: "line" },
      { number: String(index + 1) },
      ...[line.description, line.model, line.segment, null].map(toText),
      ...toAmounts(line),
    ]),
    ...statement.adjustments.map((adjustment) => [
      ...first,
      { text: "adjustment" },
      { number: String(adjustment.number) },
      ...[null, null, null, adjustment.for_cycle].map(toText),
      ...toAmounts(adjustment),
    ]),
  ];
}

function toAmounts({
  quantity,
  exact_amount,
  amount,
  currency,
  rounding,
}: Pick<Statement["adjustments"][number], "quantity" | "exact_amount" | "amount" | "currency" | "rounding">): Cell[] {
  return [...[quantity, exact_amount, amount].map((number) => ({ number })), ...[currency, rounding].map(toText)];
}

function toText(text: string | null): Cell {
  return text === null ? null : { text };
}
