import { env } from "cloudflare:workers";
import { renewDelivery } from "@tidemark/db/deliveries";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { answering, PostOffice } from "../../test/post-office.ts";

const START = Date.UTC(2031, 10, 20, 12);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
let office: PostOffice;

beforeEach(async () => {
  office = await PostOffice.open(START);
});
afterEach(() => {
  office.close();
});

describe("a channel", () => {
  const slack = "https://hooks.slack.com/services/T0/B0/X";

  test("gets 1,000 crossings in at most 20 posts a minute, all of them", async () => {
    await office.destination("s", { kind: "slack", url: slack });
    for (let at = 0; at < 1_000; at += 20) {
      await office.tell(
        ...Array.from({ length: 20 }, (_, index) => office.crossing(`n${at + index}`, `metric_${index % 3}`)),
      );
      await office.advance(1_500);
    }
    await office.advance(MINUTE);
    for (const { at } of office.posted)
      expect(office.posted.filter((other) => other.at >= at && other.at < at + MINUTE).length).toBeLessThanOrEqual(20);
    const all = await office.deliveries();
    expect(all).toHaveLength(1_000);
    expect(new Set(all.map(({ state, attempts }) => `${state} ${attempts}`))).toEqual(new Set(["delivered 1"]));
    const told = office.posted.map(({ body }) => Number(/"text":"(\d+) thresholds/.exec(body)?.[1] ?? 1));
    expect(told.reduce((sum, count) => sum + count, 0)).toBe(1_000);
    expect(office.backlog).toEqual([]);
  });

  test("gets what is more than one post holds in the next ones", async () => {
    await office.destination("s", { kind: "slack", url: slack });
    await office.tell(...Array.from({ length: 700 }, (_, index) => office.crossing(`n${index}`)));
    await office.advance(MINUTE);
    expect(new Set(await office.states())).toEqual(new Set(["delivered"]));
    expect(office.posted.map(({ at }) => at - START)).toEqual([0, 3_000, 6_000]);
  });

  test("gets a digest as a message of its own, between the others", async () => {
    await office.destination("s", { kind: "slack", url: slack });
    await office.tell(office.crossing("a"), office.crossing("b"), office.digest("c"), office.crossing("d"));
    await office.advance(MINUTE);
    expect(office.posted.map(({ body }) => (JSON.parse(body) as { text: string }).text.slice(0, 10))).toEqual([
      "2 threshol",
      "Monday: Ca",
      "A threshol",
    ]);
    expect(office.posted.every(({ headers }) => headers["webhook-id"] === undefined)).toBe(true);
  });

  test("that wants to be left alone for a while is, and then gets all that waits", async () => {
    await office.destination("s", { kind: "slack", url: slack });
    office.answer = answering(429, { "retry-after": "30" });
    await office.tell(office.crossing("a"));
    await office.advance(1_000);
    office.answer = answering(200);
    await office.tell(office.crossing("b"));
    await office.advance(28_000);
    expect(office.posted).toHaveLength(1);
    await office.advance(10_000);
    expect(await office.states()).toEqual(["delivered", "delivered"]);
    expect(office.posted).toHaveLength(2);
  });

  test.each([200, 500])("that takes long to answer (%i) gets each notice once at a time", async (status) => {
    await office.destination("s", { kind: "slack", url: slack });
    office.answer = async () => {
      if (office.posted.length > 1) return new Response();
      await office.tell(office.crossing("meanwhile"));
      await office.advance(14_000);
      expect(office.posted).toHaveLength(1);
      return new Response(null, { status });
    };
    await office.tell(office.crossing("a"), office.crossing("b"));
    await office.advance(MINUTE);
    expect(office.posted.length).toBe(status === 200 ? 2 : 3);
    expect(new Set(await office.states())).toEqual(new Set(["delivered"]));
    for (const [index, { at }] of office.posted.entries())
      expect(at - (office.posted[index - 1]?.at ?? 0)).toBeGreaterThanOrEqual(3_000);
  });

  test("of which somebody has the first of several notices sent again gets the others all the same", async () => {
    await office.destination("s", { kind: "slack", url: slack });
    office.answer = answering(500);
    await office.tell(office.crossing("a"), office.crossing("b"), office.crossing("c"));
    await office.advance(1_000);
    office.answer = answering(200);
    const [{ id } = { id: "" }] = await office.deliveries();
    await renewDelivery(env.DB, { project_id: office.project, id }, office.now);
    const address = { project_id: office.project, destination_id: "s", delivery_id: id };
    office.send({ kind: "deliver", ...address, attempts: 0 });
    await office.advance(MINUTE);
    expect(await office.states()).toEqual(["delivered", "delivered", "delivered"]);
    expect(office.posted).toHaveLength(3);
    expect(office.backlog).toEqual([]);
  });

  test("that fails gets everything with its next attempts", async () => {
    await office.destination("s", { kind: "slack", url: slack });
    office.answer = answering(500);
    await office.tell(...Array.from({ length: 30 }, (_, index) => office.crossing(`n${index}`)));
    await office.advance(6_000);
    expect(office.posted).toHaveLength(2);
    office.answer = answering(200);
    await office.advance(10 * MINUTE);
    expect(office.posted).toHaveLength(3);
    expect(new Set((await office.deliveries()).map(({ state, attempts }) => `${state} ${attempts}`))).toEqual(
      new Set(["delivered 3"]),
    );
  });

  test("that fails attempts each notice at its own times, without help of the cron trigger", async () => {
    await office.destination("s", { kind: "slack", url: slack });
    office.answer = answering(500);
    await office.tell(office.crossing("old"));
    await office.advance(4_000);
    await office.tell(office.crossing("new"));
    await office.advance(90 * HOUR);
    const all = await office.deliveries();
    expect(all.map(({ state, attempts }) => [state, attempts])).toEqual([
      ["failed", 10],
      ["failed", 10],
    ]);
    expect(office.backlog).toEqual([]);
  });
});
