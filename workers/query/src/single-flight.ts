import { waitUntil } from "cloudflare:workers";

/** What this isolate is making now, by what it is. */
const flights = new Map<string, Promise<unknown>>();

/**
 * Makes something once for all who ask this isolate for it at the same time; an error is everybody's too. Nothing is
 * kept once it is made. A request that began to make it can be cut off, and then its promise never settles: who
 * waits for it begins anew after `waitMs`.
 *
 * @param name of what is made: two things never share one.
 */
export async function singleFlight<Answer>(name: string, waitMs: number, make: () => Promise<Answer>): Promise<Answer> {
  const flight = flights.get(name) as Promise<Answer> | undefined;
  if (flight === undefined) return begin(name, make);
  const landed = await waitFor(flight, waitMs);
  if (landed !== undefined) return landed.answer;
  if (flights.get(name) === flight) flights.delete(name);
  return singleFlight(name, waitMs, make);
}

async function begin<Answer>(name: string, make: () => Promise<Answer>): Promise<Answer> {
  const flight = make().finally(() => {
    if (flights.get(name) === flight) flights.delete(name);
  });
  flights.set(name, flight);
  // Others may wait for it when the client that asked first has gone.
  waitUntil(flight.catch(() => undefined));
  return flight;
}

/** @returns `undefined` when it takes too long. */
async function waitFor<Answer>(
  flight: Promise<Answer>,
  waitMs: number,
): Promise<{ readonly answer: Answer } | undefined> {
  let timer: ReturnType<typeof setTimeout> | null = null;
  const timeout = new Promise<undefined>((resolve) => {
    timer = setTimeout(() => resolve(undefined), waitMs);
  });
  try {
    return await Promise.race([flight.then((answer) => ({ answer })), timeout]);
  } finally {
    clearTimeout(timer);
  }
}
