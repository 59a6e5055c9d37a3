/**
 * Does the same for some customers at once.
 *
 * @returns those for whom it worked, with what it gave.
 * @throws what the first one threw, when it worked for none.
 */
export async function thoseThatWorked<Result>(
  customers: readonly string[],
  work: (customer: string) => Promise<Result>,
): Promise<{ readonly customers: readonly string[]; readonly results: readonly Result[] }> {
  const settled = await Promise.allSettled(customers.map(work));
  const worked = settled.flatMap((outcome, index) =>
    outcome.status === "fulfilled" ? [{ customer: customers[index] ?? "", result: outcome.value }] : [],
  );
  const failed = settled.find((outcome) => outcome.status === "rejected");
  if (worked.length === 0 && failed !== undefined) throw failed.reason;
  return { customers: worked.map(({ customer }) => customer), results: worked.map(({ result }) => result) };
}
