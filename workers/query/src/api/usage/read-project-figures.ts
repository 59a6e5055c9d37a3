import type { Aggregation } from "@tidemark/core";
import { type DayPlan, daysOfPlan, limitPlan } from "@tidemark/core/day-plan";
import type { DayRange } from "@tidemark/core/shown-days";
import { type CounterView, isTotal, type UsageFigure, UsageFold } from "@tidemark/core/usage-fold";
import { readMarks, readProjectUsage } from "@tidemark/db/project-usage";
import { scanDays } from "@tidemark/db/usage";
import { FoldBudget } from "../../fold-budget.ts";

export interface ProjectQuestion {
  readonly project_id: string;
  readonly aggregation: Aggregation;
  readonly plan: DayPlan;
  readonly views: readonly CounterView[];
  /** Figures that the caller can use. */
  readonly rowsMax: number;
}

export interface ProjectFigures {
  readonly figures: readonly UsageFigure[];
  /** Events that matched and had no usable value. */
  readonly rejected: number;
  /** Whether a customer's day is beyond 64 bits, and left out. */
  readonly overflow: boolean;
}

/**
 * A metric's usage over all customers, as the meters have sent it.
 *
 * @throws Problem invalid_request where too many days' ids would have to be united.
 */
export async function readProjectFigures(db: D1Database, question: ProjectQuestion): Promise<ProjectFigures> {
  const { project_id, plan, views } = question;
  const parts = views.flatMap((view) => {
    const own = limitPlan(plan, view);
    const days = daysOfPlan(own);
    return days === undefined ? [] : [{ view, plan: own, days }];
  });
  const fold = new UsageFold(question.aggregation, plan);
  const budget = new FoldBudget("/customer_id", "Ask for one customer, or for fewer days.");
  const [marks] = await Promise.all([
    readMarks(
      db,
      project_id,
      parts.map(({ view, days }) => ({ counter_id: view.counter_id, ...days })),
    ),
    ...parts.map((part) => readPart(db, question, part, { fold, budget })),
  ]);
  return { figures: fold.figures(), ...marks };
}

async function readPart(
  db: D1Database,
  { project_id, aggregation, rowsMax }: ProjectQuestion,
  part: { readonly view: CounterView; readonly plan: DayPlan; readonly days: DayRange },
  { fold, budget }: { readonly fold: UsageFold; readonly budget: FoldBudget },
): Promise<void> {
  const { view, plan, days } = part;
  const { counter_id } = view;
  if (aggregation !== "unique") {
    const question = { project_id, counter_id, aggregation, plan, view, limit: rowsMax + 1 };
    for (const figure of await readProjectUsage(db, question)) fold.addFigure(figure);
    return;
  }
  for await (const page of scanDays(db, { project_id, counter_id, ...days, groups: !isTotal(view) })) {
    budget.take(page);
    for (const day of page.days) fold.addDay(day, view);
  }
}
