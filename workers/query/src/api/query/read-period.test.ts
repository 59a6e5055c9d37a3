import { describe, expect, test } from "vitest";
import { readPeriod } from "./read-period.ts";

const at = (text: string): number => Date.parse(text);
const NOW = at("2026-11-21T15:30:00Z");

function read(range: { days?: number; from?: string; to?: string }, tz = "UTC", now = NOW) {
  const { span, previous, compared, incomplete_from } = readPeriod(range, { now, tz, projectZone: "UTC" });
  const show = (span_: { start: number; end: number } | undefined) =>
    span_ === undefined ? null : [span_.start, span_.end].map((time) => new Date(time).toISOString().slice(0, 16));
  return {
    span: show(span),
    previous: show(previous),
    open: incomplete_from === null ? null : new Date(incomplete_from).toISOString().slice(0, 16),
    compared: [show(compared?.current), show(compared?.previous)],
  };
}

describe("a period", () => {
  test("of days ends with today, and is compared without it", () => {
    expect(read({ days: 7 })).toEqual({
      span: ["2026-11-15T00:00", "2026-11-22T00:00"],
      previous: ["2026-11-08T00:00", "2026-11-15T00:00"],
      open: "2026-11-21T00:00",
      compared: [
        ["2026-11-15T00:00", "2026-11-21T00:00"],
        ["2026-11-08T00:00", "2026-11-14T00:00"],
      ],
    });
  });

  test("that is over is compared as a whole", () => {
    expect(read({ from: "2026-11-01", to: "2026-11-08" })).toEqual({
      span: ["2026-11-01T00:00", "2026-11-08T00:00"],
      previous: ["2026-10-25T00:00", "2026-11-01T00:00"],
      open: null,
      compared: [
        ["2026-11-01T00:00", "2026-11-08T00:00"],
        ["2026-10-25T00:00", "2026-11-01T00:00"],
      ],
    });
  });

  test("of today alone has nothing to compare", () => {
    expect(read({ days: 1 })).toMatchObject({
      previous: ["2026-11-20T00:00", "2026-11-21T00:00"],
      compared: [null, null],
    });
  });

  test("has as many days before as it has, also where the clocks change", () => {
    // The days before have 25 hours on the 25th of October.
    expect(read({ from: "2026-10-26", to: "2026-10-28" }, "Europe/Berlin")).toMatchObject({
      span: ["2026-10-25T23:00", "2026-10-27T23:00"],
      previous: ["2026-10-23T22:00", "2026-10-25T23:00"],
    });
  });

  test("of hours is compared with as many hours before, part of an hour taken whole", () => {
    expect(read({ from: "2026-11-20T10:10:00Z", to: "2026-11-20T12:50:00Z" })).toMatchObject({
      span: ["2026-11-20T10:00", "2026-11-20T13:00"],
      previous: ["2026-11-20T07:00", "2026-11-20T10:00"],
    });
  });

  test("without an end goes on until the end of today", () => {
    expect(read({ from: "2026-11-20" }, "America/New_York").span).toEqual(["2026-11-20T05:00", "2026-11-22T05:00"]);
  });
});
