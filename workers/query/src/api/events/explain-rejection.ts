import type { RejectionCode } from "@tidemark/core";

/** Why events could not be counted, in a sentence that says what to do. */
export function explainRejection(code: RejectionCode, property: string, decimalPlaces: number): string {
  switch (code) {
    case "value_missing":
      return `The property ${property} is missing or empty: send it with every event that matches, or filter out those without it.`;
    case "not_a_number":
      return `The property ${property} is not a decimal number: send a number, or a text like "12.5" without separators or units.`;
    case "too_precise":
      return `The property ${property} has more than the metric's ${decimalPlaces} decimal places: round it, or make a metric with more.`;
    case "out_of_range":
      return `The property ${property} does not fit 64 bits in the metric's smallest unit: send a smaller number, or make a metric with fewer decimal places.`;
    case "not_an_id":
      return `The property ${property} is a list or an object: send a text or a number, whose different values can be counted.`;
  }
}
