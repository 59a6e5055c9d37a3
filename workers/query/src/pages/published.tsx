import type { TopCustomersAnswer } from "@tidemark/contract/report-schema";
import { Problem } from "@tidemark/http/problem";
import { PublicationNotFoundPage, PublishedPage } from "@tidemark/ui";
import type { Context } from "hono";
import { topCustomersCsv } from "../api/reports/top-customers-csv.ts";
import type { QueryApp, QueryAppEnv } from "../env.ts";
import { fileAnswer } from "../files.ts";
import { contentSecurityPolicy } from "../plumbing/security-headers.ts";
import { openPublication } from "./open-publication.ts";

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
    const opened = await openPublication(context.env.DB, id, key);
    return opened === undefined ? notFound(context, type) : show(context, { id, key, type, ...opened });
  });
}

type FileType = "page" | "json" | "csv";

interface Shown {
  readonly id: string;
  readonly key: string;
  readonly type: FileType;
  readonly title: string;
  readonly report: TopCustomersAnswer;
}

function readFileName(file: string): { readonly id: string; readonly type: FileType } {
  const [id = "", type, ...more] = file.split(".");
  if (type === undefined) return { id, type: "page" };
  return (type === "json" || type === "csv") && more.length === 0 ? { id, type } : { id: "", type: "page" };
}

async function show(context: Context<QueryAppEnv>, { id, key, type, title, report }: Shown): Promise<Response> {
  switch (type) {
    case "json":
      return context.json({ title, ...report });
    case "csv":
      return fileAnswer(topCustomersCsv(report), "csv", `top-customers-${report.metric}`);
    case "page": {
      // Relative, so that they hold wherever the page is mounted; the key stands nowhere else in it.
      const file = (ending: string) => `${id}.${ending}?key=${encodeURIComponent(key)}`;
      const links = { csv: file("csv"), json: file("json") };
      const page = { title, report, now: Date.now(), links, ...readLook(context) };
      return context.html(<PublishedPage {...page} />);
    }
  }
}

function readLook(context: Context<QueryAppEnv>) {
  const theme = context.req.query("theme");
  return {
    embed: context.req.query("embed") === "1",
    theme: theme === "light" || theme === "dark" ? theme : "auto",
  } as const;
}

/** The same whatever is wrong: nobody learns which publications exist. */
async function notFound(context: Context<QueryAppEnv>, type: FileType): Promise<Response> {
  if (type === "json") throw new Problem("not_found", "This link does not open a report; ask for the current one.");
  return context.html(<PublicationNotFoundPage />, 404);
}

/** The address holds the key, so it must not be stored, indexed or passed on. */
function setPrivate(headers: Headers, embedded: boolean): void {
  headers.set("cache-control", "private, no-store");
  headers.set("x-robots-tag", "noindex, nofollow, noarchive");
  headers.set("content-security-policy", contentSecurityPolicy(embedded));
  if (embedded) headers.set("cross-origin-resource-policy", "cross-origin");
}
