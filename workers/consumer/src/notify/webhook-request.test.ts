import type { CrossingBody } from "@tidemark/contract/notice";
import type { StoredNotice } from "@tidemark/contract/webhook-event";
import { Webhook } from "standardwebhooks";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { toWebhookRequest } from "./webhook-request.ts";

const NOW = Date.UTC(2026, 10, 20, 10, 0, 7);
const secret = (byte: number): string => `whsec_${btoa(String.fromCharCode(byte).repeat(32))}`;
const [FIRST, SECOND, OTHER] = [secret(1), secret(2), secret(3)];

const crossing: CrossingBody = {
  threshold_id: "thr_1",
  version: 2,
  name: "80 % of cap",
  operator: ">=",
  line: "80 %",
  metric: "api_requests",
  segment: "eu",
  label: "gpt-5",
  value: "9007199254740993.5",
  previous_value: "9007199254740992.5",
  allowance: "100000",
  cycle: { start: "2026-11-01T00:00:00Z", end: "2026-12-01T00:00:00Z" },
};
const notice: StoredNotice = {
  id: "thr_1:2:acme.corp/ü:2026-11-01T00:00:00Z",
  kind: "threshold_crossed",
  customer_id: "acme.corp/ü",
  at: NOW - 1_500,
  body: JSON.stringify({ metric_id: "met_1", at: 1, ...crossing }),
};

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

describe("a webhook", () => {
  test("is what Standard Webhooks' own package verifies, and says all of a crossing", async () => {
    const { headers, body } = await toWebhookRequest("p", notice, [FIRST], NOW);
    expect(new Webhook(FIRST).verify(body, headers)).toEqual({
      type: "aggregator.threshold_crossed",
      timestamp: "2026-11-20T10:00:05.500Z",
      data: {
        id: notice.id,
        threshold: { id: "thr_1", version: 2, name: "80 % of cap", operator: ">=", line: "80 %" },
        metric: "api_requests",
        segment: "eu",
        label: "gpt-5",
        customer_id: "acme.corp/ü",
        value: "9007199254740993.5",
        previous_value: "9007199254740992.5",
        allowance: "100000",
        cycle: crossing.cycle,
        at: "2026-11-20T10:00:05.500Z",
      },
    });
    expect(headers["webhook-id"]).toMatch(/^msg_[0-9a-f]{32}$/);
  });

  test.each([{}, { label: "" }])("of a crossing of all labels together (%j) names none", async (change) => {
    const body = JSON.stringify({ ...crossing, label: undefined, ...change });
    const request = await toWebhookRequest("p", { ...notice, body }, [FIRST], NOW);
    expect(JSON.parse(request.body)).toMatchObject({ data: { label: null } });
  });

  test("has the same id and bytes whenever it is made, and another id in another project", async () => {
    const first = await toWebhookRequest("p", notice, [FIRST], NOW);
    const later = await toWebhookRequest("p", notice, [SECOND, FIRST], NOW + 86_400_000);
    const other = await toWebhookRequest("q", notice, [FIRST], NOW);
    expect(later.body).toBe(first.body);
    expect(later.headers["webhook-id"]).toBe(first.headers["webhook-id"]);
    expect(other.headers["webhook-id"]).not.toBe(first.headers["webhook-id"]);
  });

  test("is verified by each of two secrets, and by no other", async () => {
    const { headers, body } = await toWebhookRequest("p", notice, [SECOND, FIRST], NOW);
    for (const each of [FIRST, SECOND]) expect(() => new Webhook(each).verify(body, headers)).not.toThrow();
    expect(() => new Webhook(OTHER).verify(body, headers)).toThrow("No matching signature");
  });

  test("is not verified when a byte of it, of its id or of its time is another", async () => {
    const { headers, body } = await toWebhookRequest("p", notice, [FIRST], NOW);
    const webhook = new Webhook(FIRST);
    const swap = (text: string, at: number): string =>
      text.slice(0, at) + (text.charAt(at) === "7" ? "8" : "7") + text.slice(at + 1);
    for (let at = 0; at < body.length; at++) expect(() => webhook.verify(swap(body, at), headers)).toThrow();
    for (const name of ["webhook-id", "webhook-timestamp"]) {
      const value = headers[name] ?? "";
      for (let at = 0; at < value.length; at++)
        expect(() => webhook.verify(body, { ...headers, [name]: swap(value, at) })).toThrow();
    }
  });

  test.each([
    ["webhook_test", { destination: { id: "dst_1", name: "Ops" } }, "webhook.test"],
    ["destination_disabled", { destination: { id: "dst_1", name: "Ops" }, reason: "gone" }, "destination.disabled"],
    ["digest", { digest_id: "dig_1", metric: "api_requests" }, "digest.weekly"],
  ] as const)("of a %s says what is kept of it", async (kind, body, type) => {
    const request = await toWebhookRequest("p", { ...notice, kind, body: JSON.stringify(body) }, [FIRST], NOW);
    expect(JSON.parse(request.body)).toMatchObject({ type, data: { id: notice.id, ...body } });
  });
});
