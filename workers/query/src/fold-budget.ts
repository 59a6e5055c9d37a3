import { FOLDED_DAYS_MAX, FOLDED_LENGTH_MAX } from "@tidemark/contract/query-limits";
import type { DayPage } from "@tidemark/db/usage";
import { invalid } from "./plumbing/issues.ts";

/** How many days' ids one answer may still unite. */
export class FoldBudget {
  readonly #pointer: string;
  readonly #remedy: string;
  #days = FOLDED_DAYS_MAX;
  #length = FOLDED_LENGTH_MAX;

  /** @param pointer the parameter that would have to change, and @param remedy how. */
  constructor(pointer: string, remedy: string) {
    this.#pointer = pointer;
    this.#remedy = remedy;
  }

  /** @throws Problem invalid_request when these days are too many. */
  take({ days, length }: DayPage): void {
    this.#days -= days.length;
    this.#length -= length;
    if (this.#days < 0 || this.#length < 0) throw this.exceeded();
  }

  exceeded(): Error {
    const detail = `Needs the ids of too many days at once. ${this.#remedy}`;
    return invalid([{ pointer: this.#pointer, code: "too_many_rows", detail }]);
  }
}
