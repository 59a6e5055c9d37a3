import slugify from "@sindresorhus/slugify";
import { SLUG_LENGTH_MAX } from "@tidemark/contract/metric-schema";

/** What a name without a letter or digit of its own gives. */
const FALLBACK = "metric";

/** Characters kept free at the end of a slug for a number. */
const ENDING_LENGTH = 6;

/**
 * A slug for a name that is none of `taken`: a repeated one gets `_2`, `_3` and so on.
 *
 * @example chooseSlug("API Requests", new Set(["api_requests"])) // "api_requests_2"
 */
export function chooseSlug(name: string, taken: ReadonlySet<string>, fallback = FALLBACK): string {
  const slug = toSlug(name, fallback);
  const first = cut(slug, "");
  if (!taken.has(first)) return first;
  for (let number = 2; ; number++) {
    const next = cut(slug, `_${number}`);
    if (!taken.has(next)) return next;
  }
}

/** What every slug that `chooseSlug` can make of a name begins with. */
export function slugPrefix(name: string, fallback = FALLBACK): string {
  return cut(toSlug(name, fallback), " ".repeat(ENDING_LENGTH)).trimEnd();
}

function toSlug(name: string, fallback: string): string {
  return slugify(name, { separator: "_" }).replace(/[^a-z0-9_-]/g, "") || fallback;
}

function cut(slug: string, ending: string): string {
  return slug.slice(0, SLUG_LENGTH_MAX - ending.length).replace(/[_-]+$/, "") + ending;
}
