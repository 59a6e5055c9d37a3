import { env } from "cloudflare:workers";
import { MESSAGE_BYTES_MAX, type NotificationMessage } from "@tidemark/contract";
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

  test("is sent on ever more rarely, so that a queue that is slow does not fill up", async () => {
    await office.destination("a");
    await office.tell(office.crossing("n"));
    office.answer = answering(500);
    await office.advance(1_000);
    let sent = 0;
    for (let run = 0; run < 24 * 12; run++) {
      office.forget();
      office.moveTo(office.now + 5 * MINUTE);
      await wake();
      sent += office.backlog.length;
    }
    expect(sent).toBeGreaterThanOrEqual(4);
    expect(sent).toBeLessThanOrEqual(9);
    office.answer = answering(200);
    await office.advance(1_000);
    office.send(await lastMessage());
    await office.advance(1_000);
    expect(await office.states()).toEqual(["delivered"]);
  });

  async function lastMessage(): Promise<NotificationMessage> {
    const [{ id, attempts } = { id: "", attempts: 0 }] = await office.deliveries();
    return { kind: "deliver", project_id: office.project, destination_id: "a", delivery_id: id, attempts };
  }

  test("is not sent on while its destination is left alone", async () => {
    await office.destination("a");
    await office.tell(office.crossing("n"));
    office.answer = answering(500);
    await office.advance(1_000);
    office.forget();
    const next_at = office.now + 60 * MINUTE;
    await env.DB.prepare("UPDATE destinations SET next_at = ?").bind(next_at).run();
    office.moveTo(office.now + 30 * MINUTE);
    await wake();
    expect(office.backlog).toEqual([]);
    office.moveTo(next_at + 5 * MINUTE);
    await wake();
    expect(office.backlog).toEqual([await lastMessage()]);
  });

  test("is told in messages that a queue takes, however long the ids are", async () => {
    await office.destination("a");
    const ids = Array.from({ length: 60 }, (_, index) => `${index}:${"\u0001".repeat(1_000)}`);
    await office.tell(...ids.map((id) => office.crossing(id)));
    office.forget();
    await office.advance(10 * MINUTE);
    await wake();
    const told = office.backlog.map((message) => (message.kind === "notify" ? message.notice_ids : []));
    expect(told.flat().toSorted()).toEqual(ids.toSorted());
    for (const message of office.backlog) expect(JSON.stringify(message).length).toBeLessThanOrEqual(MESSAGE_BYTES_MAX);
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
