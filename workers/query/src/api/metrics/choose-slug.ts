import slugify from "@sindresorhus/slugify";
import { SLUG_LENGTH_MAX } from "@tidemark/contract/metric-schema";

/** What a name without a letter or digit of its own gives. */
const FALLBACK = "metric";

/**
 * A slug for a metric's name that is none of `taken`: a repeated one gets `_2`, `_3` and so on.
 *
 * @example chooseSlug("API Requests", new Set(["api_requests"])) // "api_requests_2"
 */
export function chooseSlug(name: string, taken: ReadonlySet<string>): string {
  const slug = slugify(name, { separator: "_" }).replace(/[^a-z0-9_-]/g, "") || FALLBACK;
  const first = cut(slug, "");
  if (!taken.has(first)) return first;
  for (let number = 2; ; number++) {
    const next = cut(slug, `_${number}`);
    if (!taken.has(next)) return next;
  }
}

function cut(slug: string, ending: string): string {
  return slug.slice(0, SLUG_LENGTH_MAX - ending.length).replace(/[_-]+$/, "") + ending;
}
