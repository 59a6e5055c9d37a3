import type { UsageDay } from "@tidemark/core";
import { env } from "cloudflare:workers";
import { expect, test } from "vitest";
import { writeUsageDays } from "./rollups.ts";

const DAY: UsageDay = {
  metric_id: "met_1",
  aggregation: "sum",
  day: 20_000,
  version: 3,
  value: "7",
  events: 2,
  rejected: 1,
  last_at: 5,
  groups: [{ labels: ["ü \"'"], segments: 2, value: "7", events: 2, hours: { "0": "3", "13": "4" } }],
  rejections: [{ code: "value_missing", events: 1, example: { id: "e", at: 5, found: "" } }],
};

async function write(projectId: string, ...days: readonly UsageDay[]): Promise<void> {
  await writeUsageDays(env.DB, [{ project_id: projectId, customer_id: "acme", days }]);
}

async function read(projectId: string) {
  const query = `SELECT version, CAST(value AS TEXT) AS value, events, rejected, last_at, groups, ids, rejections, overflow
    FROM usage_days WHERE project_id = ? ORDER BY metric_id, day`;
  return (await env.DB.prepare(query).bind(projectId).all()).results;
}

test("a day is kept with its groups, ids and rejections, the same text every time", async () => {
  const ids = { ids: [5, 1, 9, 3] };
  const unique: UsageDay = { ...DAY, day: 20_001, aggregation: "unique", value: "2", ids, rejections: [], groups: [] };
  await write("one", DAY, unique);
  await write("two", { ...unique }, { ...DAY });
  const rows = await read("one");
  const common = { version: 3, events: 2, rejected: 1, last_at: 5, overflow: 0 };
  expect(rows).toEqual([
    {
      ...common,
      value: "7",
      groups: JSON.stringify(DAY.groups),
      ids: null,
      rejections: JSON.stringify(DAY.rejections),
    },
    { ...common, value: "2", groups: "[]", ids: '{"ids":[5,1,9,3]}', rejections: null },
  ]);
  expect(await read("two")).toEqual(rows);
});

test("a day beyond 64 bits is kept as 0 with a mark, and exactly in its groups", async () => {
  const value = (2n ** 64n).toString();
  const groups = [{ labels: [], value, events: 2, hours: { "0": value } }];
  await write("huge", { ...DAY, value, groups });
  expect(await read("huge")).toMatchObject([{ value: "0", overflow: 1, groups: JSON.stringify(groups) }]);
  await write("huge", { ...DAY, version: 4 });
  expect(await read("huge")).toMatchObject([{ value: "7", overflow: 0, version: 4 }]);
});

test("a higher version replaces everything, and a lower one nothing", async () => {
  await write("versions", DAY);
  const { rejections: _rejections, ...counted } = DAY;
  await write("versions", { ...counted, version: 2, value: "1", rejected: 0 });
  expect(await read("versions")).toMatchObject([{ version: 3, value: "7", rejected: 1 }]);
  await write("versions", { ...counted, version: 4, value: "9", rejected: 0, ids: { ids: [1, 1] } });
  expect(await read("versions")).toMatchObject([
    { version: 4, value: "9", rejected: 0, rejections: null, ids: '{"ids":[1,1]}' },
  ]);
});
