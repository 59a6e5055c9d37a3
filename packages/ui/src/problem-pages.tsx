import type { ProblemCode, ProblemKind } from "@tidemark/contract/problems";
import type { FC } from "hono/jsx";
import { Layout, Wordmark } from "./layout.tsx";
import { MessagePage } from "./message-page.tsx";
import { Inline } from "./prose.tsx";

export interface ProblemPageProps {
  readonly code: ProblemCode;
  readonly kind: ProblemKind;
}

/** The page that `type` in an error's body points to. */
export const ProblemPage: FC<ProblemPageProps> = ({ code, kind }) => (
  <MessagePage
    title={kind.title}
    status={kind.status}
    code={code}
    meaning={`${meaningOf(kind.status)} The answer's “detail” and “errors” say what it was in your request.`}
    remedy={kind.remedy}
    links={[
      { href: "/docs/errors", label: "All errors" },
      { href: "/docs", label: "API reference" },
    ]}
  />
);

export interface ProblemListPageProps {
  readonly kinds: Readonly<Record<string, ProblemKind>>;
}

/** Every way a request can fail, by status. */
export const ProblemListPage: FC<ProblemListPageProps> = ({ kinds }) => (
  <Layout title="Errors" page="problems">
    <h1>Errors</h1>
    <p>
      Every error is <code>application/problem+json</code>: programs read <code>code</code>, people read{" "}
      <code>detail</code>, and <code>type</code> is the address of one of these pages.
    </p>
    <table>
      <thead>
        <tr>
          <th scope="col" class="number">
            Status
          </th>
          <th scope="col">Code</th>
          <th scope="col">Meaning</th>
          <th scope="col">What to do</th>
        </tr>
      </thead>
      <tbody>
        {Object.entries(kinds).map(([code, kind]) => (
          <tr>
            <td class="number">{kind.status}</td>
            <th scope="row">
              <a href={`/docs/errors/${encodeURIComponent(code)}`}>
                <code>{code}</code>
              </a>
            </th>
            <td>{kind.title}</td>
            <td>
              <Inline text={kind.remedy} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
    <footer>
      <Wordmark /> <a href="/docs">API reference</a>
    </footer>
  </Layout>
);

/** What a status says about whose turn it is. */
function meaningOf(status: number): string {
  if (status >= 500) return "The request was fine; the server could not finish it.";
  if (status === 429) return "The request was fine, but there were too many of them.";
  if (status === 401 || status === 403)
    return "The server knows too little about who is asking, or that key may not do this.";
  if (status === 404) return "The address names nothing that this key can see.";
  if (status === 409) return "The request makes sense, but not together with what already exists.";
  return "The server understood where the request was going and refused what it says.";
}
