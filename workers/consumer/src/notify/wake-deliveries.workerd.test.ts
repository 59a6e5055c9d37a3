import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { answering, PostOffice } from "../../test/post-office.ts";
import { wakeDeliveries } from "./wake-deliveries.ts";

const START = Date.UTC(2031, 10, 20, 12);
const MINUTE = 60_000;
let office: PostOffice;

beforeEach(async () => {
  office = await PostOffice.open(START);
});
afterEach(() => {
  office.close();
});

describe("what a queue forgets", () => {
  const wake = () => wakeDeliveries(office.env, office.now);

  test("is sent on some minutes later, the next attempts of deliveries and notices that have none", async () => {
    await office.destination("a");
    office.answer = answering(500);
    await office.tell(office.crossing("waiting"));
    await office.advance(1_000);
    office.answer = answering(200);
    await office.tell(office.crossing("unheard"));
    office.forget();
    await wake();
    expect(office.backlog).toEqual([]);
    await office.advance(10 * MINUTE);
    await wake();
    await office.advance(1_000);
    expect(await office.states()).toEqual(["delivered", "delivered"]);
    await office.advance(10 * MINUTE);
    await wake();
    expect(office.backlog).toEqual([]);
  });

  test("is not sent on again while it may still wait in a queue that is slow", async () => {
    await office.destination("a");
    await office.tell(office.crossing("n"));
    office.answer = answering(500);
    await office.advance(1_000);
    office.forget();
    await office.advance(10 * MINUTE);
    for (let run = 0; run < 3; run++) await wake();
    expect(office.backlog).toHaveLength(1);
  });

  test("is not sent to who did not want it, or came later", async () => {
    await office.destination("digests", { wants: ["digest"] });
    await office.tell(office.crossing("n"));
    office.forget();
    await office.advance(10 * MINUTE);
    await office.destination("late");
    await wake();
    expect(office.backlog).toEqual([]);
  });
});
