import { env } from "cloudflare:workers";
import { DELIVERY_KEPT_MS, NOTICE_KEPT_MS } from "@tidemark/contract";
import { afterEach, beforeEach, expect, test } from "vitest";
import { answering, PostOffice } from "../../test/post-office.ts";
import { forgetNotices } from "./forget-notices.ts";

const START = Date.UTC(2031, 10, 20, 12);
const DAY = 86_400_000;
let office: PostOffice;

beforeEach(async () => {
  office = await PostOffice.open(START);
  await env.DB.prepare(
    "INSERT INTO projects (id, name, time_zone, catalog_version, created_at) VALUES (?, '', 'UTC', 0, 0)",
  )
    .bind(office.project)
    .run();
});
afterEach(() => {
  office.close();
});

async function noticesOf(): Promise<readonly string[]> {
  const { results } = await env.DB.prepare("SELECT id FROM notices ORDER BY id").all<{ readonly id: string }>();
  return results.map(({ id }) => id);
}

test("deliveries are forgotten some time after they ended, and notices long after that", async () => {
  await office.destination("a");
  await office.tell(office.crossing("n"));
  await office.advance(1_000);
  await forgetNotices(env, START + DELIVERY_KEPT_MS);
  expect(await office.states()).toEqual(["delivered"]);
  await forgetNotices(env, START + DELIVERY_KEPT_MS + 1);
  expect([await office.states(), await noticesOf()]).toEqual([[], ["n"]]);
  await forgetNotices(env, START + NOTICE_KEPT_MS);
  expect(await noticesOf()).toEqual(["n"]);
  await forgetNotices(env, START + NOTICE_KEPT_MS + 1);
  expect(await noticesOf()).toEqual([]);
});

test("what waits is kept, with its notice, however old it is", async () => {
  office.answer = answering(500);
  await office.destination("a");
  await office.tell(office.crossing("n"), office.crossing("m"));
  await office.advance(1_000);
  await env.DB.prepare("DELETE FROM deliveries WHERE notice_id = 'm'").run();
  await forgetNotices(env, START + NOTICE_KEPT_MS + DAY);
  expect([await office.states(), await noticesOf()]).toEqual([["waiting"], ["n"]]);
});
