import type { RememberedDecision } from "@tidemark/contract";
import { sumAmounts } from "@tidemark/core/money";

/**
 * Why a decision was what it was, as a sentence.
 *
 * @example because(decision) // "900 of 1000 were used and 100 were reserved, so it did not fit; the limit is hard."
 */
export function because(decision: RememberedDecision): string {
  const { answer, kind } = decision;
  if (!answer.allowed) return whyDenied(answer);
  switch (kind) {
    case "consume":
      return whyAdmitted(decision);
    case "reserve":
      return `It fit, and was set aside: ${standingOf(answer)}.`;
    case "commit":
      return `What was reserved before was used: ${standingOf(answer)}.`;
    case "release":
      return `What was reserved went back to where it came from: ${standingOf(answer)}.`;
    case "report":
      return `The holder of a lease reported what it had used: ${standingOf(answer)}.`;
  }
}

type Answer = RememberedDecision["answer"];

function whyDenied(answer: Answer): string {
  switch (answer.reason ?? "limit_reached") {
    case "unknown_customer":
      return "Nothing was known of the customer: no event had come, and there was no allowance.";
    case "no_allowance":
      return "The customer had no allowance of this metric, and no subscription of it.";
    case "meter_unavailable":
      return "The customer's meter could not be reached, and the limit says closed.";
    case "limit_reached":
      return `${standingOf(answer)}, so it did not fit; the limit is ${answer.enforcement ?? "hard"}.`;
  }
}

function whyAdmitted({ answer }: RememberedDecision): string {
  const { enforcement, enforced, limit, over_limit, overage } = answer;
  if (!enforced)
    return "The customer's meter could not be reached and the limit says open: it was admitted, and counted later.";
  if (limit === null) return `Nothing is limited, only counted: ${standingOf(answer)}.`;
  if (!over_limit) return `It fit: ${standingOf(answer)} after it, and ${answer.remaining ?? "0"} remained.`;
  switch (enforcement) {
    case "soft":
      return `It went beyond the allowance, and the limit is soft: ${standingOf(answer)}, ${overage} of that as overage.`;
    case "monitor":
      return `It went beyond the allowance, which is only watched: ${standingOf(answer)}, ${overage} of that as overage.`;
    case "hard":
    case null:
      return `It had been admitted before the meter was asked, and so is counted: ${standingOf(answer)}, ${overage} of that as overage.`;
  }
}

/** What had been used, of how much. */
function standingOf({ limit, carried, used, reserved }: Answer): string {
  const all = limit === null ? "" : ` of ${sumAmounts([limit, carried])}`;
  const held = reserved === "0" ? "" : ` and ${reserved} were reserved`;
  return `${used}${all} were used${held}`;
}
