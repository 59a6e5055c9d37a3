import { describe, expect, test } from "vitest";
import { singleFlight } from "./single-flight.ts";

const WAIT_MS = 5_000;

/** Something to be made, which the test makes. */
function work() {
  let begun = 0;
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const make = (): Promise<string> => {
    begun++;
    return promise;
  };
  return { make, resolve, reject, begun: () => begun };
}

describe("who asks at the same time", () => {
  test("gets what is made once, and who asks later has it made anew", async () => {
    const [first, second] = [work(), work()];
    const asked = [1, 2, 3].map(() => singleFlight("a", WAIT_MS, first.make));
    first.resolve("first");
    expect(await Promise.all(asked)).toEqual(["first", "first", "first"]);
    expect(first.begun()).toBe(1);
    second.resolve("second");
    expect(await singleFlight("a", WAIT_MS, second.make)).toBe("second");
  });

  test("gets the error, which nobody gets later", async () => {
    const [failing, working] = [work(), work()];
    const asked = [1, 2].map(() => singleFlight("b", WAIT_MS, failing.make));
    failing.reject(new Error("The database is away."));
    const outcomes = await Promise.allSettled(asked);
    expect(outcomes.map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    working.resolve("made");
    expect(await singleFlight("b", WAIT_MS, working.make)).toBe("made");
    expect([failing.begun(), working.begun()]).toEqual([1, 1]);
  });

  test("for something else waits for nobody", async () => {
    const [slow, other] = [work(), work()];
    const asked = singleFlight("c", WAIT_MS, slow.make);
    other.resolve("other");
    expect(await singleFlight("d", WAIT_MS, other.make)).toBe("other");
    slow.resolve("slow");
    expect(await asked).toBe("slow");
  });

  test("does not wait for ever for a request that was cut off: one begins anew, for all", async () => {
    const cutOff = work();
    const lost = singleFlight("e", WAIT_MS, cutOff.make);
    let begun = 0;
    const anew = async (): Promise<string> => {
      begun++;
      await scheduler.wait(50);
      return "anew";
    };
    expect(await Promise.all([1, 2, 3].map(async () => singleFlight("e", 200, anew)))).toEqual([
      "anew",
      "anew",
      "anew",
    ]);
    expect(begun).toBe(1);
    cutOff.resolve("late");
    expect(await lost).toBe("late");
  });
});
