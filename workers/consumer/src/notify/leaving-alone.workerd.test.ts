import { env } from "cloudflare:workers";
import { findDestination } from "@tidemark/db/destinations";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { answering, PostOffice } from "../../test/post-office.ts";

const START = Date.UTC(2031, 10, 20, 12);
const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const silence = () => Promise.reject(new DOMException("", "TimeoutError"));
let office: PostOffice;

beforeEach(async () => {
  office = await PostOffice.open(START);
});
afterEach(() => {
  office.close();
});

function crossings(count: number, name = "n") {
  return Array.from({ length: count }, (_, index) => office.crossing(`${name}${index}`));
}

describe("a destination that does not answer", () => {
  test.each(["webhook", "slack"] as const)(
    "(a %s) is asked ever more rarely, while its backlog keeps its attempts",
    async (kind) => {
      const url = kind === "slack" ? "https://hooks.slack.com/services/T0/B0/X" : "https://a.acme.com/";
      await office.destination("a", { kind, url });
      office.answer = silence;
      await office.tell(...crossings(40));
      await office.advance(2 * HOUR);
      expect(office.posted.length).toBeLessThanOrEqual(12);
      await office.advance(2 * HOUR);
      expect(office.posted.length).toBeLessThanOrEqual(16);
      office.answer = answering(200);
      await office.advance(6 * HOUR);
      expect(new Set(await office.states())).toEqual(new Set(["delivered"]));
      expect(office.backlog).toEqual([]);
    },
  );

  test("is asked by one at a time, and once it answers by all", async () => {
    await office.destination("a");
    office.answer = silence;
    await office.tell(...crossings(30));
    await office.advance(4 * SECOND);
    expect(office.posted).toHaveLength(1);
    office.answer = async () => {
      await office.advance(10 * SECOND);
      expect(office.posted).toHaveLength(2);
      office.answer = answering(200);
      return new Response();
    };
    await office.advance(MINUTE);
    expect(new Set(await office.states())).toEqual(new Set(["delivered"]));
    expect(await findDestination(env.DB, { project_id: office.project, id: "a" })).toMatchObject({ next_at: 0 });
  });

  test("is attempted at the times of every other failure where one notice waits", async () => {
    await office.destination("a");
    office.answer = silence;
    await office.tell(office.crossing("n"));
    await office.advance(90 * HOUR);
    const hours = [0, 5, 305, 2_105, 9_305].map((seconds) => seconds * SECOND);
    expect(office.posted.slice(0, 5).map(({ at }) => at - START)).toEqual(hours);
    expect(office.posted).toHaveLength(10);
  });

  test("is not left alone for failures that are answers", async () => {
    await office.destination("a");
    office.answer = answering(500);
    await office.tell(...crossings(20));
    await office.advance(SECOND);
    expect(office.posted).toHaveLength(20);
  });
});

test("as many receivers are asked at a time as have a connection each", async () => {
  let open = 0;
  let most = 0;
  office.answer = async () => {
    most = Math.max(most, ++open);
    await new Promise((resolve) => setTimeout(resolve, 20));
    open--;
    return new Response();
  };
  for (let index = 0; index < 10; index++) await office.destination(`d${index}`);
  await office.tell(office.crossing("n"));
  await office.advance(SECOND);
  expect(await office.states()).toEqual(Array.from({ length: 10 }, () => "delivered"));
  expect(most).toBe(6);
});
