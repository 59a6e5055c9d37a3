import { randomText } from "@tidemark/http/keys";

/** 119 random bits: ids are no secrets, but nobody should guess a neighbour's. */
const RANDOM_LENGTH = 20;

/** A new id, with a prefix that tells what it is of. */
export function newId(prefix: "dig" | "dst" | "job" | "met" | "prod" | "pub" | "thr" | "top"): string {
  return `${prefix}_${randomText(RANDOM_LENGTH)}`;
}
