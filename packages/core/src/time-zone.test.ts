import { describe, expect, test } from "vitest";
import { dateOf, fractionalOffset, isTimeZone, startOfDate } from "./time-zone.ts";

describe("a time zone", () => {
  test.each(["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5", "Asia/Kolkata"])(
    "%s is one",
    (name) => {
      expect(isTimeZone(name)).toBe(true);
    },
  );
  test.each([
    "",
    "Mars/Olympus",
    "+02:00",
    "UTC+1",
    "Europe/Berlin ",
    "../etc/passwd",
    "Europe/Berlin\n",
    "x".repeat(100),
    "__proto__",
  ])("%j is none", (name) => {
    expect(isTimeZone(name)).toBe(false);
  });
});

describe("offsets that are not whole hours", () => {
  const at = (text: string): number => Date.parse(text);
  test.each([
    ["Europe/Berlin", "2026-01-01T00:00Z", "2027-01-01T00:00Z", undefined],
    ["UTC", "2026-01-01T00:00Z", "2027-01-01T00:00Z", undefined],
    ["Asia/Kolkata", "2026-01-01T00:00Z", "2026-01-02T00:00Z", "+05:30"],
    ["Asia/Kathmandu", "2026-01-01T00:00Z", "2026-01-02T00:00Z", "+05:45"],
    ["America/St_Johns", "2026-07-01T00:00Z", "2026-07-02T00:00Z", "-02:30"],
    // Lord Howe has 11 hours in its summer and half an hour less in its winter, from 5 April 2026.
    ["Australia/Lord_Howe", "2026-01-01T00:00Z", "2026-04-01T00:00Z", undefined],
    ["Australia/Lord_Howe", "2026-01-01T00:00Z", "2026-05-01T00:00Z", "+10:30"],
    ["Australia/Lord_Howe", "2026-05-01T00:00Z", "2026-06-01T00:00Z", "+10:30"],
  ])("%s from %s to %s: %s", (zone, from, to, expected) => {
    expect(fractionalOffset(zone, at(from), at(to))).toBe(expected);
  });
});

describe("a date", () => {
  test.each([
    ["2026-11-01", "UTC", "2026-11-01T00:00:00.000Z"],
    ["2026-07-01", "Europe/Berlin", "2026-06-30T22:00:00.000Z"],
    // Cairo's clocks go from 23:59 to 01:00.
    ["2026-04-24", "Africa/Cairo", "2026-04-23T22:00:00.000Z"],
  ])("%s in %s begins at %s", (date, zone, expected) => {
    const start = startOfDate(date, zone);
    expect(new Date(start).toISOString()).toBe(expected);
    expect(dateOf(start, zone)).toBe(date);
  });
  test.each(["2026-02-29", "2026-13-01", "2026-1-1", "20261101", "2026-11-01T00:00", "", "yesterday"])(
    "%j is none",
    (text) => {
      expect(startOfDate(text, "UTC")).toBeNaN();
    },
  );
});
