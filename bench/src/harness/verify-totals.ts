import { type CustomerTotals, customerId, type Workload } from "@tidemark/testing/workload";

/** Customers asked for in one request. */
const CHUNK = 500;

/** A part of what was sent, and how often it was, each time with new ids. */
export interface SentPart {
  readonly workload: Workload;
  readonly times: number;
}

/**
 * The gate of every figure of the counting path: the meters of the customers of these ranks, the second
 * one exclusive, hold exactly what the generator made.
 *
 * @throws Error that names the first customer whose totals differ.
 */
export async function verifyTotals(
  url: string,
  [first, end]: readonly [number, number],
  sent: readonly SentPart[],
): Promise<void> {
  for (let from = first; from < end; from += CHUNK) {
    const to = Math.min(from + CHUNK, end);
    const response = await fetch(`${url}/totals?from=${from}&to=${to}`);
    if (response.status !== 200) throw new Error(`The meters could not be read: ${await response.text()}`);
    const found = await response.json<readonly CustomerTotals[]>();
    found.forEach((totals, index) => {
      const name = customerId(from + index);
      const expected = addUp(name, sent);
      if (JSON.stringify(totals) !== JSON.stringify(expected)) {
        throw new Error(
          `Customer ${name} has ${JSON.stringify(totals)}; the generator made ${JSON.stringify(expected)}.`,
        );
      }
    });
  }
}

function addUp(name: string, sent: readonly SentPart[]): CustomerTotals {
  const expected: CustomerTotals = { events: 0, units: 0, fees: 0, zones: [0, 0, 0, 0] };
  for (const { workload, times } of sent) {
    const part = workload.totals.get(name);
    if (part === undefined) continue;
    expected.events += times * part.events;
    expected.units += times * part.units;
    expected.fees += times * part.fees;
    part.zones.forEach((units, zone) => (expected.zones[zone as 0] += times * units));
  }
  return expected;
}
