import { PROBLEM_KINDS, type ProblemCode } from "@tidemark/contract";
import {
  HomePage,
  ICON,
  ICON_PATH,
  MessagePage,
  ProblemListPage,
  ProblemPage,
  ReferencePage,
  STYLESHEET,
  STYLESHEET_PATH,
} from "@tidemark/ui";
import type { QueryApp } from "../env.ts";
import { describeApi } from "../openapi/describe-api.ts";

const FIVE_MINUTES = "public, max-age=300";
/** The address of the stylesheet has its content's hash in it. */
const FOR_EVER = "public, max-age=31536000, immutable";

/** The pages that need no key: home, reference, errors, and what they are drawn with. */
export function documentPages(app: QueryApp): void {
  app.get("/", (context) =>
    context.html(<HomePage origin={new URL(context.req.url).origin} />, 200, cached(FIVE_MINUTES)),
  );
  app.get("/openapi.json", (context) => context.json(describeApi(app, context.req.url), 200, cached(FIVE_MINUTES)));
  app.get("/docs", (context) =>
    context.html(<ReferencePage document={describeApi(app, context.req.url)} />, 200, cached(FIVE_MINUTES)),
  );
  app.get("/docs/errors", (context) =>
    context.html(<ProblemListPage kinds={PROBLEM_KINDS} />, 200, cached(FIVE_MINUTES)),
  );
  app.get("/docs/errors/:code", (context) => {
    const code = context.req.param("code");
    if (!isProblemCode(code)) return context.html(<NoSuchError />, 404);
    return context.html(<ProblemPage code={code} kind={PROBLEM_KINDS[code]} />, 200, cached(FIVE_MINUTES));
  });
  app.get(STYLESHEET_PATH, (context) =>
    context.body(STYLESHEET, 200, { "content-type": "text/css; charset=utf-8", ...cached(FOR_EVER) }),
  );
  app.get(ICON_PATH, (context) =>
    context.body(ICON, 200, { "content-type": "image/svg+xml", ...cached("public, max-age=86400") }),
  );
  app.get("/robots.txt", (context) => context.text("User-agent: *\nDisallow: /q/\n", 200, cached(FIVE_MINUTES)));
}

function cached(policy: string): Record<string, string> {
  return { "cache-control": policy };
}

function isProblemCode(code: string): code is ProblemCode {
  return Object.hasOwn(PROBLEM_KINDS, code);
}

function NoSuchError() {
  return (
    <MessagePage
      title="There is no such error"
      status={404}
      meaning="No error of this API has that code."
      remedy="Look the code up in the list of all errors."
      links={[{ href: "/docs/errors", label: "All errors" }]}
    />
  );
}
