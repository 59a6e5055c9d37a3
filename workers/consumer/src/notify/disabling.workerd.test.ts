import { env } from "cloudflare:workers";
import { findDestination, updateDestination } from "@tidemark/db/destinations";
import { seal } from "@tidemark/http/seal";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { answering, PostOffice } from "../../test/post-office.ts";

const START = Date.UTC(2031, 10, 20, 12);
const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
let office: PostOffice;

beforeEach(async () => {
  office = await PostOffice.open(START);
});
afterEach(() => {
  office.close();
});

describe("a destination", () => {
  const find = (id: string) => findDestination(env.DB, { project_id: office.project, id });

  test("that is gone is disabled at once, with all that waits for it, and the others are told", async () => {
    await office.destination("gone");
    await office.destination("other");
    office.answer = answering(500);
    await office.tell(office.crossing("early"));
    await office.advance(1_000);
    office.answer = ({ url }) => new Response(null, { status: url.includes("//gone.") ? 410 : 200 });
    await office.tell(office.crossing("late"));
    await office.advance(MINUTE);
    expect(await find("gone")).toMatchObject({ disabled_reason: "gone" });
    const made = (await office.deliveries()).map(({ destination_id, state }) => [destination_id, state].join(" "));
    expect(made.toSorted()).toEqual([
      "gone failed",
      "gone failed",
      "other delivered",
      "other delivered",
      "other delivered",
    ]);
    const disabled = office.posted.filter(({ body }) => body.includes("destination.disabled"));
    expect(disabled.map(({ url, body }) => [url, JSON.parse(body) as unknown])).toMatchObject([
      [
        "https://other.acme.com/",
        { type: "destination.disabled", data: { destination: { id: "gone", name: "gone" }, reason: "gone" } },
      ],
    ]);
    await office.tell(office.crossing("later"));
    await office.advance(1_000);
    expect(office.posted.filter(({ url, at }) => url.includes("//gone.") && at > START + MINUTE)).toEqual([]);
  });

  test("that has failed for five days is disabled, and one that works now and then is not", async () => {
    await office.destination("dead");
    await office.destination("flaky");
    let count = 0;
    office.answer = ({ url }) =>
      new Response(null, { status: url.includes("//flaky.") && ++count % 3 === 0 ? 200 : 500 });
    for (let hours = 0; hours <= 6 * 24; hours += 12) {
      await office.tell(office.crossing(`n${hours}`));
      await office.advance(12 * HOUR);
      const isDue = hours + 12 >= 5 * 24 + 12;
      if (isDue) expect((await find("dead"))?.disabled_reason).toBe("failing");
      if (hours < 4 * 24) expect((await find("dead"))?.disabled_at).toBeNull();
    }
    expect((await find("flaky"))?.disabled_at).toBeNull();
    const { results } = await env.DB.prepare("SELECT id, body FROM notices WHERE kind = 'destination_disabled'").all<{
      readonly body: string;
    }>();
    expect(results.map(({ body }) => JSON.parse(body) as unknown)).toEqual([
      { destination: { id: "dead", name: "dead" }, reason: "failing", failing_since: new Date(START).toISOString() },
    ]);
  });

  test("that moves while its old address is asked is not disabled for that one, and is asked at the new one", async () => {
    await office.destination("a");
    await office.tell(office.crossing("n"));
    office.answer = async () => {
      office.answer = answering(200);
      const url = await seal("https://moved.acme.com/", office.env.KEY_PEPPER, [office.project, "a", "url"]);
      await updateDestination(env.DB, { project_id: office.project, id: "a" }, { url, updated_at: office.now });
      return new Response(null, { status: 410 });
    };
    await office.advance(1_000);
    expect(await find("a")).toMatchObject({ disabled_at: null, failing_since: null });
    await office.advance(MINUTE);
    expect(office.posted.map(({ url }) => url)).toEqual(["https://a.acme.com/", "https://moved.acme.com/"]);
    expect(await office.states()).toEqual(["delivered"]);
  });

  test("that is deleted or disabled while something waits for it gets nothing more", async () => {
    office.answer = answering(500);
    for (const id of ["a", "b"]) await office.destination(id);
    await office.tell(office.crossing("n"));
    await office.advance(1_000);
    await env.DB.batch([
      env.DB.prepare("DELETE FROM destinations WHERE id = 'a'"),
      env.DB.prepare("UPDATE destinations SET disabled_at = 1, disabled_reason = 'by_person' WHERE id = 'b'"),
    ]);
    await office.advance(DAY);
    expect(office.posted).toHaveLength(2);
    expect(await office.states()).toEqual(["failed", "failed"]);
  });
});
