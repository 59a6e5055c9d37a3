import type { RememberedDecision } from "@tidemark/contract";
import { expect, test } from "vitest";
import { because } from "./because.ts";

type Answer = RememberedDecision["answer"];

function decision(answer: Partial<Answer>, kind: RememberedDecision["kind"] = "consume"): RememberedDecision {
  return {
    id: "x",
    kind,
    at: 0,
    amounts: [],
    paid: [],
    answer: {
      allowed: true,
      metric: "calls",
      enforcement: "hard",
      enforced: true,
      limit: "1000",
      carried: "0",
      used: "900",
      reserved: "0",
      remaining: "100",
      overage: "0",
      over_limit: false,
      cycle: null,
      ...answer,
    },
  };
}

const DENIED = { allowed: false, reason: "limit_reached" } as const;
const NOBODY = { ...DENIED, limit: null, remaining: null, enforcement: null } as const;
const OVER = { used: "1100", remaining: "0", overage: "100", over_limit: true };

test.each<readonly [string, RememberedDecision, string]>([
  ["fits", decision({}), "It fit: 900 of 1000 were used after it, and 100 remained."],
  [
    "fits in what was carried",
    decision({ carried: "0.5" }),
    "It fit: 900 of 1000.5 were used after it, and 100 remained.",
  ],
  ["does not fit", decision(DENIED), "900 of 1000 were used, so it did not fit; the limit is hard."],
  [
    "does not fit beside what is reserved",
    decision({ ...DENIED, reserved: "100" }),
    "900 of 1000 were used and 100 were reserved, so it did not fit; the limit is hard.",
  ],
  [
    "nobody knows",
    decision({ ...NOBODY, reason: "unknown_customer" }),
    "Nothing was known of the customer: no event had come, and there was no allowance.",
  ],
  [
    "has no allowance",
    decision({ ...NOBODY, reason: "no_allowance" }),
    "The customer had no allowance of this metric, and no subscription of it.",
  ],
  [
    "has no meter",
    decision({ ...NOBODY, reason: "meter_unavailable" }),
    "The customer's meter could not be reached, and the limit says closed.",
  ],
  [
    "was open",
    decision({ enforced: false }),
    "The customer's meter could not be reached and the limit says open: it was admitted, and counted later.",
  ],
  [
    "is not limited",
    decision({ limit: null, remaining: null, enforcement: "monitor" }),
    "Nothing is limited, only counted: 900 were used.",
  ],
  [
    "is soft",
    decision({ ...OVER, enforcement: "soft" }),
    "It went beyond the allowance, and the limit is soft: 1100 of 1000 were used, 100 of that as overage.",
  ],
  [
    "is watched",
    decision({ ...OVER, enforcement: "monitor" }),
    "It went beyond the allowance, which is only watched: 1100 of 1000 were used, 100 of that as overage.",
  ],
  [
    "was admitted before",
    decision(OVER),
    "It had been admitted before the meter was asked, and so is counted: 1100 of 1000 were used, 100 of that as overage.",
  ],
  [
    "is reserved",
    decision({ reserved: "50" }, "reserve"),
    "It fit, and was set aside: 900 of 1000 were used and 50 were reserved.",
  ],
  ["is committed", decision({}, "commit"), "What was reserved before was used: 900 of 1000 were used."],
  ["is released", decision({}, "release"), "What was reserved went back to where it came from: 900 of 1000 were used."],
  ["is reported", decision({}, "report"), "The holder of a lease reported what it had used: 900 of 1000 were used."],
])("a decision that %s says why", (_name, remembered, words) => {
  expect(because(remembered)).toBe(words);
});
