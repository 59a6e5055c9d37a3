import { SNAPSHOT_BYTES_MAX, SNAPSHOTS_MAX } from "@tidemark/contract/query-limits";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { makeProject } from "../test/fixture.ts";
import { snapshot } from "./snapshot.ts";

async function countKept(projectId: string): Promise<number | null> {
  return env.DB.prepare("SELECT COUNT(*) AS kept FROM snapshots WHERE project_id = ?").bind(projectId).first("kept");
}

test("many who ask at once have the answer made once, each project its own", async () => {
  const [one, other] = [await makeProject(), await makeProject()];
  const made: string[] = [];
  const ask = (id: string): Promise<string> =>
    snapshot(env.DB, id, ["who"], async () => {
      made.push(id);
      await scheduler.wait(50);
      return id;
    });
  const askers = Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? one.id : other.id));
  expect(await Promise.all(askers.map(ask))).toEqual(askers);
  expect(made.toSorted()).toEqual([one.id, other.id].toSorted());
  expect(await countKept(one.id)).toBe(1);
});

test("an answer that cannot be made is an error to all who wait, and is made for the next", async () => {
  const { id } = await makeProject();
  let made = 0;
  const ask = (): Promise<number> =>
    snapshot(env.DB, id, ["fails"], async () => {
      await scheduler.wait(50);
      if (++made === 1) throw new Error("The database is away.");
      return made;
    });
  const outcomes = await Promise.allSettled([ask(), ask(), ask()]);
  expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
  expect(await ask()).toBe(2);
});

// As JSON a text has two quotes.
test.each([
  ["of ASCII", "a".repeat(SNAPSHOT_BYTES_MAX - 2), 1],
  ["of ASCII, and one more", "a".repeat(SNAPSHOT_BYTES_MAX - 1), 0],
  ["of three bytes each", "字".repeat(SNAPSHOT_BYTES_MAX / 3 - 1), 1],
  ["of three bytes each, and one more", "字".repeat(SNAPSHOT_BYTES_MAX / 3), 0],
])("an answer is kept as long as a row has room for its bytes: %s", async (_, text, kept) => {
  const { id } = await makeProject();
  expect(await snapshot(env.DB, id, ["long"], async () => text)).toBe(text);
  expect(await countKept(id)).toBe(kept);
});

test("whoever varies a question makes the oldest answers go", async () => {
  const { id } = await makeProject();
  for (let at = 0; at < SNAPSHOTS_MAX + 5; at++) await snapshot(env.DB, id, ["varied", at], async () => at);
  expect(await countKept(id)).toBe(SNAPSHOTS_MAX);
});
