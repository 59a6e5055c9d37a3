import type { DigestBody } from "@tidemark/contract/digest-schema";
import type { CrossingBody } from "@tidemark/contract/notice";
import type { StoredNotice } from "@tidemark/contract/webhook-event";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { SlackMessage } from "./slack-blocks.ts";
import { toSlackMessage } from "./slack-message.ts";

const crossing: CrossingBody = {
  threshold_id: "thr_1",
  version: 1,
  name: "Nearly",
  operator: ">=",
  line: "80 %",
  metric: "api_requests",
  value: "80012",
  allowance: "100000",
  cycle: { start: "2026-11-01T00:00:00Z", end: "2026-12-01T00:00:00Z" },
};

function crossed(customer_id: string, change: Partial<CrossingBody> = {}): StoredNotice {
  const body = JSON.stringify({ ...crossing, ...change });
  return { id: customer_id, kind: "threshold_crossed", customer_id, at: 0, body };
}

/** Everything that a channel would show. */
function textsOf({ text, blocks }: SlackMessage): readonly string[] {
  const shown = blocks.flatMap((block) => {
    if (block.type === "context") return block.elements.map((element) => element.text);
    return [block.text.text];
  });
  return [text, ...shown];
}

const digest: DigestBody = {
  digest_id: "dig_1",
  digest: "Monday <!here>",
  metric: "api_requests",
  name: "API requests",
  unit: "requests",
  period: { from: "2026-11-09", to: "2026-11-15" },
  time_zone: "Europe/Berlin",
  as_of: "2026-11-16T08:00:00Z",
  approximate: true,
  total: { value: "1200", previous: "1000", change: "0.2" },
  grew: {
    count: 12,
    rows: [{ customer_id: "acme", name: "Acme & Sons", value: "500", previous: "200", change: "1.5" }],
  },
  dropped: {
    count: 1,
    rows: [{ customer_id: "globex", name: null, value: "10", previous: "100", change: "-0.9" }],
  },
  went_quiet: { count: 0, rows: [] },
  near_limits: {
    unanswered: 0,
    more: false,
    count: 1,
    rows: [{ customer_id: "initech", name: null, label: null, value: "81.5", allowance: "100", share: "0.815" }],
  },
};

describe("a message to a channel", () => {
  test("tells of one crossing in one line", () => {
    const line = "Nearly: *acme* used 80012 of 100000 api_requests (&gt;= 80 %, 2026-11-01 to 2026-12-01)";
    expect(toSlackMessage([crossed("acme")])).toEqual({
      text: `A threshold was crossed: ${line}`,
      blocks: [
        { type: "header", text: { type: "plain_text", text: "A threshold was crossed" } },
        { type: "section", text: { type: "mrkdwn", text: line, verbatim: true } },
      ],
    });
  });

  test.each([
    [{ label: "gpt-5", segment: "eu" }, "of 100000 api_requests for gpt-5 in eu ("],
    [{ label: "<!here>" }, "of 100000 api_requests for &lt;!here&gt; ("],
    [{ label: "", segment: null }, "of 100000 api_requests ("],
  ])("says whose usage it was: %j", (change, told) => {
    expect(toSlackMessage([crossed("acme", change)]).text).toContain(told);
  });

  test("lists twenty of many and counts the others by metric", () => {
    const many = Array.from({ length: 300 }, (_, index) =>
      crossed(`customer-${index}`, {
        metric: index % 4 === 0 ? "tokens" : "api_requests",
        name: null,
        allowance: null,
      }),
    );
    const texts = textsOf(toSlackMessage(many));
    expect(texts[0]).toBe("300 thresholds were crossed");
    expect(texts.slice(2, -1).join("\n").split("\n")).toHaveLength(20);
    expect(texts.at(-1)).toBe("and 280 more: 210 of api_requests, 70 of tokens");
  });

  test.each([
    "<!channel>",
    "<!here|here>",
    "<@U123>",
    "<#C123>",
    "<!subteam^S1>",
    "<https://evil.com|Click>",
    "&lt;!channel&gt;",
    "a\n<!everyone>\nb",
    "\u2028<!channel>",
  ])("mentions nobody and links nowhere, though the customer calls itself %j", (hostile) => {
    const change = { name: hostile, metric: hostile, value: hostile, allowance: hostile, line: hostile };
    const told = [
      crossed(hostile, change),
      {
        ...crossed("x"),
        kind: "webhook_test" as const,
        body: JSON.stringify({ destination: { id: hostile, name: hostile } }),
      },
      {
        ...crossed("x"),
        kind: "destination_disabled" as const,
        body: JSON.stringify({ destination: { id: hostile, name: hostile }, reason: "gone", failing_since: "2026" }),
      },
    ];
    const list = { count: 1, rows: [{ ...digest.grew.rows[0], customer_id: hostile, name: hostile }] };
    const body = JSON.stringify({ ...digest, digest: hostile, name: hostile, unit: hostile, grew: list });
    const messages = [toSlackMessage(told), ...told.map((each) => toSlackMessage([each]))];
    messages.push(toSlackMessage([{ ...crossed("x"), kind: "digest", body }]));
    for (const message of messages) {
      for (const each of textsOf(message)) {
        expect(each).not.toMatch(/[<>]|&(?!amp;|lt;|gt;)/);
        for (const line of each.split("\n")) expect(line).not.toBe("b");
      }
    }
  });

  test("is within Slack's limits, whatever it tells", () => {
    const text = fc.oneof(fc.string({ unit: "binary", maxLength: 128 }), fc.constant("&".repeat(128)));
    const notice = fc
      .record({ customer: text, name: fc.option(text), metric: text, value: text, line: text })
      .map(({ customer, ...change }) => crossed(customer, change));
    fc.assert(
      fc.property(fc.array(notice, { minLength: 1, maxLength: 60 }), (notices) => {
        const message = toSlackMessage(notices);
        expect(new TextEncoder().encode(JSON.stringify(message)).byteLength).toBeLessThan(13_000);
        expect(message.blocks.length).toBeLessThanOrEqual(50);
        for (const block of message.blocks) {
          if (block.type === "header") expect(block.text.text.length).toBeLessThanOrEqual(150);
          if (block.type === "section") expect(block.text.text.length).toBeLessThanOrEqual(3_000);
          if (block.type !== "header") expect(textsOf({ text: "", blocks: [block] }).join("")).not.toBe("");
        }
      }),
    );
  });

  test("a digest tells the week's figure and who stands out", () => {
    expect(textsOf(toSlackMessage([{ ...crossed(""), kind: "digest", body: JSON.stringify(digest) }]))).toEqual([
      "Monday &lt;!here&gt;: API requests: 1200 requests, 1000 in the week before (+20 %)",
      "Monday &lt;!here&gt;: API requests",
      "1200 requests, 1000 in the week before (+20 %)",
      [
        "*Grew (12)*",
        "• Acme &amp; Sons: 200 → 500 (+150 %)",
        "… and 11 more",
        "*Dropped (1)*",
        "• globex: 100 → 10 (-90 %)",
        "*Near a limit (1)*",
        "• initech: 81.5 of 100 (81.5 %)",
      ].join("\n"),
      "2026-11-09 to 2026-11-15, Europe/Berlin. ≈ estimates.",
    ]);
  });

  const near = digest.near_limits.rows[0];
  test.each([
    [
      "several balances of one customer",
      { rows: [near, near] },
      ["*Near a limit (1)*", "• initech: 81.5 of 100 (81.5 %)"],
    ],
    ["more customers than rows", { count: 3 }, ["… and 2 more"]],
    ["meters that did not answer", { unanswered: 2 }, ["… and perhaps 2 more, whose meters did not answer"]],
    [
      "nobody but meters that did not answer",
      { count: 0, rows: [], unanswered: 2 },
      ["*Near a limit (0)*", "… and perhaps 2 more, whose meters did not answer"],
    ],
    [
      "more customers than are asked",
      { more: true },
      ["… and perhaps others: only those who came near a limit last were asked"],
    ],
  ])("a digest says what is known of who is near a limit: %s", (_, change, told) => {
    const nobody = { count: 0, rows: [] };
    const lists = { grew: nobody, dropped: nobody, near_limits: { ...digest.near_limits, ...change } };
    const body = JSON.stringify({ ...digest, ...lists });
    const [, , , lines] = textsOf(toSlackMessage([{ ...crossed(""), kind: "digest", body }]));
    expect(lines?.split("\n")).toEqual(expect.arrayContaining(told));
    expect(lines?.match(/and \d+ more/g) ?? []).toHaveLength("count" in change && change.count === 3 ? 1 : 0);
  });
});
