import { ArchiveQuestionSchema } from "@tidemark/contract/query-schema";
import type { UsageEvent } from "@tidemark/core";
import { describe, expect, test } from "vitest";
import { ArchiveFold } from "./archive-fold.ts";

const FROM = Date.UTC(2031, 10, 20);
const TO = Date.UTC(2031, 10, 21);

function newFold(): ArchiveFold {
  const question = ArchiveQuestionSchema.parse({ source: "archive", range: { days: 1 } });
  return new ArchiveFold({ question, from: FROM, to: TO, time_zone: "UTC" });
}

function event(id: string, timestamp?: number): UsageEvent {
  return { id, event: "call", customer_id: "acme", ...(timestamp === undefined ? {} : { timestamp }) };
}

describe("the fold of an archive question", () => {
  test.each([
    ["that happened before the range", event("a", FROM - 1), FROM],
    ["that happened after it", event("a", TO), FROM],
    ["that was received after it without a time", event("a"), TO],
  ])("remembers no id of an event %s", (_, outside, receivedAt) => {
    const fold = newFold();
    fold.add(outside, receivedAt);
    expect(fold.toState()).toMatchObject({ matched: 0, repeated: 0 });
    expect(fold.toState().ids).toHaveLength(0);
  });

  test("counts no event that was received before the range without a time, and again within it", () => {
    const fold = newFold();
    fold.add(event("a"), FROM - 1);
    fold.add(event("a"), FROM + 1);
    fold.add(event("b"), FROM + 1);
    expect(fold.toState()).toMatchObject({ matched: 1, repeated: 1 });
  });
});
