import { type Ranks, toQuery } from "./ranks.ts";

// What everything under measurement that knows uses is asked between its turns, ours and the rivals alike.

/** Gives customers a limit. */
export async function allow(url: string, ranks: Ranks, limit: number): Promise<void> {
  const response = await fetch(`${url}/allowances?${toQuery(ranks)}&limit=${limit}`, { method: "PUT" });
  if (!response.ok) throw new Error(`The limits could not be set: ${await response.text()}`);
}

/** What customers have used, all together. */
export async function fetchUsed(url: string, ranks: Ranks): Promise<number> {
  const response = await fetch(`${url}/used?${toQuery(ranks)}`);
  return (await response.json<{ readonly used: number }>()).used;
}
