/**
 * Does the same for several items at once.
 *
 * @returns those for which it worked, and what it gave.
 * @throws what the first one threw, when it worked for none.
 */
export async function thoseThatWorked<Item, Result>(
  all: readonly Item[],
  work: (item: Item) => Promise<Result>,
): Promise<{ readonly items: readonly Item[]; readonly results: readonly Result[] }> {
  const items: Item[] = [];
  const results: Result[] = [];
  const errors: unknown[] = [];
  const settled = await Promise.allSettled(all.map(async (item) => ({ item, result: await work(item) })));
  for (const outcome of settled) {
    if (outcome.status === "rejected") errors.push(outcome.reason);
    else {
      items.push(outcome.value.item);
      results.push(outcome.value.result);
    }
  }
  if (items.length === 0 && errors.length > 0) throw errors[0];
  return { items, results };
}
