import { FAILED_OPENINGS_SECONDS } from "@tidemark/contract/query-limits";
import { sha256 } from "@tidemark/http/digest";
import { Problem } from "@tidemark/http/problem";
import {
  FailedTooOftenPage,
  type Hindrance,
  HINDRANCES,
  PublicationGonePage,
  PublicationNotFoundPage,
  type Theme,
} from "@tidemark/ui";
import type { Context } from "hono";
import type { QueryApp, QueryAppEnv } from "../env.ts";
import { contentSecurityPolicy } from "../plumbing/security-headers.ts";
import { countFailedOpening, FAILED_OPENINGS_POLICY, FAILED_TOO_OFTEN } from "./failed-openings.ts";
import { looksLikeLink, openPublication } from "./open-publication.ts";
import { type FileType, renderPublication } from "./render-publication.tsx";
import { type Rendered, RenderedCache } from "./rendered-cache.ts";

/** `/q/{id}`: a published report, and beside it the same figures as files. */
export function publishedPage(app: QueryApp): void {
  // As middleware, so that it holds for every failure as well.
  app.use("/q/*", async (context, next) => {
    await next();
    setPrivate(context.res.headers, context.req.query("embed") === "1");
  });
  app.get("/q/:file", async (context) => {
    const { id, type } = readFileName(context.req.param("file"));
    const key = context.req.query("key") ?? "";
    const outcome = looksLikeLink(id, key) ? await show(context, { id, key, type }) : "nothing";
    if (typeof outcome === "object" && "hindrance" in outcome) return explain(context, outcome.hindrance, type);
    switch (outcome) {
      case "nothing":
        return refuse(context, type);
      case "no_chart":
        throw new Problem(
          "not_found",
          "This report has no chart, or nothing to draw yet; the page and .csv have its figures.",
        );
      default:
        return context.body(outcome.body, 200, { ...outcome.headers });
    }
  });
}

/** What this isolate has shown in the last seconds. */
const shown = new RenderedCache();

interface Link {
  readonly id: string;
  readonly key: string;
  readonly type: FileType;
}

/** What a link shows, or why it shows nothing. */
type Outcome = Rendered | { readonly hindrance: Hindrance } | "nothing" | "no_chart";

async function show(context: Context<QueryAppEnv>, { id, key, type }: Link): Promise<Outcome> {
  const keyHash = await sha256(key);
  const { theme, embed } = readLook(context);
  const place = [id, keyHash, type, theme, embed].join(":");
  const readAt = Date.now();
  const kept = shown.get(place, readAt);
  if (kept !== undefined) return kept;
  const opened = await openPublication(context.env, id, keyHash);
  if (opened === undefined) return "nothing";
  if ("hindrance" in opened.answer) return opened.answer;
  const publication = { id, key, title: opened.title, answer: opened.answer };
  const rendered = await renderPublication(publication, type, { theme: theme ?? opened.theme, embed });
  if (rendered === undefined) return "no_chart";
  shown.set(place, rendered, { readAt, expiresAt: opened.expires_at });
  return rendered;
}

/** An ending that we do not know is part of an id that nobody has. */
function readFileName(file: string): { readonly id: string; readonly type: FileType } {
  const [, id = file, type = "page"] = /^([^.]*)\.(json|csv|svg)$/.exec(file) ?? [];
  return { id, type: type as FileType };
}

/** All that an address says besides which publication: nothing else in it changes what is shown. */
function readLook(context: Context<QueryAppEnv>): { readonly theme: Theme | undefined; readonly embed: boolean } {
  const theme = context.req.query("theme");
  const isTheme = theme === "light" || theme === "dark" || theme === "auto";
  return { embed: context.req.query("embed") === "1", theme: isTheme ? theme : undefined };
}

/** Only who has the link learns that there was something. */
async function explain(context: Context<QueryAppEnv>, hindrance: Hindrance, type: FileType): Promise<Response> {
  if (type === "page") return context.html(<PublicationGonePage hindrance={hindrance} />, 404);
  const { meaning, remedy } = HINDRANCES[hindrance];
  throw new Problem("not_found", `${meaning} ${remedy}`);
}

/** The same whatever is wrong: nobody learns which publications exist, and who tries many has to wait. */
async function refuse(context: Context<QueryAppEnv>, type: FileType): Promise<Response> {
  const isTooOften = await countFailedOpening(context.env, context.req.header("cf-connecting-ip"));
  if (isTooOften) {
    if (type === "page")
      return context.html(<FailedTooOftenPage seconds={FAILED_OPENINGS_SECONDS} />, 429, FAILED_TOO_OFTEN);
    throw new Problem("rate_limited", "Too many links that open nothing were tried from this network.", {
      headers: FAILED_TOO_OFTEN,
    });
  }
  if (type === "page") return context.html(<PublicationNotFoundPage />, 404, FAILED_OPENINGS_POLICY);
  throw new Problem("not_found", "This link does not open a report; ask for the current one.", {
    headers: FAILED_OPENINGS_POLICY,
  });
}

/** The address holds the key, so it must not be stored, indexed or passed on. */
function setPrivate(headers: Headers, embedded: boolean): void {
  headers.set("cache-control", "private, no-store");
  headers.set("x-robots-tag", "noindex, nofollow, noarchive");
  if (!headers.has("content-security-policy")) headers.set("content-security-policy", contentSecurityPolicy(embedded));
  if (embedded) headers.set("cross-origin-resource-policy", "cross-origin");
}
