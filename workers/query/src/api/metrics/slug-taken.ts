import { Problem } from "@tidemark/http/problem";

/** A slug that was asked for and is not free. */
export function slugTaken(what: "metric" | "product", slug: string): Problem {
  const reason =
    what === "metric"
      ? `The slug "${slug}" names a metric, or one that had it or was deleted: slugs are never given to another.`
      : `A product has the slug "${slug}" already.`;
  const detail = `${reason} Choose another, or leave the slug out.`;
  return new Problem("conflict", detail, { errors: [{ pointer: "/slug", code: "taken", detail }] });
}
