import type { FC } from "hono/jsx";
import { Layout, type Theme, Wordmark } from "./layout.tsx";
import { Prose } from "./prose.tsx";

export interface MessagePageProps {
  readonly title: string;
  /** The HTTP status that the page explains or comes with. */
  readonly status?: number;
  /** A code that programs see, shown for searching. */
  readonly code?: string;
  /** What has happened, or what it means. */
  readonly meaning: string;
  /** What to do next. */
  readonly remedy: string;
  /** For whoever reports it. */
  readonly requestId?: string;
  readonly links?: readonly { readonly href: string; readonly label: string }[];
  readonly theme?: Theme;
  readonly embed?: boolean;
}

/** A page that says one thing: what happened, and what to do. */
export const MessagePage: FC<MessagePageProps> = (props) => {
  const { title, status, code, meaning, remedy, requestId, links = [], theme, embed } = props;
  return (
    <Layout title={title} page="message" {...(theme && { theme })} {...(embed && { embed })}>
      {(status !== undefined || code !== undefined) && (
        <p class="status">
          {status} {code !== undefined && <code>{code}</code>}
        </p>
      )}
      <h1>{title}</h1>
      <Prose text={meaning} />
      <h2>What to do</h2>
      <Prose text={remedy} />
      {requestId !== undefined && (
        <p class="request-id">
          Request <code>{requestId}</code>
        </p>
      )}
      {links.length > 0 && (
        <ul class="links">
          {links.map(({ href, label }) => (
            <li>
              <a href={href}>{label}</a>
            </li>
          ))}
        </ul>
      )}
      <footer>
        <Wordmark />
      </footer>
    </Layout>
  );
};

/**
 * The one answer to every link that opens nothing. It looks the same whether the report never existed,
 * was withdrawn or has another key, so that nobody can probe for reports.
 */
export const PublicationNotFoundPage: FC<Pick<MessagePageProps, "requestId" | "theme" | "embed">> = (props) => (
  <MessagePage
    title="This link does not open a report"
    status={404}
    meaning="Part of the address may be missing, or the report was withdrawn, has expired or got a new link."
    remedy="Check that the whole address was copied, with everything after “?key=”. Otherwise ask the person who sent it for the current link."
    {...props}
  />
);

/** Why a right link shows nothing any more, and what its reader can do. */
export const HINDRANCES = {
  changed: {
    title: "This report cannot be made any more",
    meaning:
      "The link is right. But what the report counts was deleted since it was published, or changed so that the report cannot be made of it.",
    remedy: "Tell the person who sent the link: they can publish it again.",
  },
  outgrown: {
    title: "This report has become too large",
    meaning:
      "The link is right, and nothing was deleted. But by now there is more usage in these days than one report may be made of.",
    remedy: "Tell the person who sent the link: they can publish it for fewer days, or for some of the customers.",
  },
  out_of_range: {
    title: "The days of this report cannot be counted",
    meaning:
      "The link is right, and nothing was deleted. But the report is about more days than it can be made of, or about days that begin in the middle of an hour.",
    remedy: "Tell the person who sent the link: they can publish it for other days.",
  },
} as const;
export type Hindrance = keyof typeof HINDRANCES;

/** What such a link opens. Only who has the link sees it. */
export const PublicationGonePage: FC<{ readonly hindrance: Hindrance }> = ({ hindrance }) => (
  <MessagePage status={404} {...HINDRANCES[hindrance]} />
);

/** What an address sees that has tried too many links that open nothing. The right link opens all the same. */
export const FailedTooOftenPage: FC<{ readonly seconds: number }> = ({ seconds }) => (
  <MessagePage
    title="Too many links that open nothing"
    status={429}
    meaning="Many links that open nothing were tried from your network, and this one does not open anything either."
    remedy={`Check that the whole address was copied, and wait ${seconds} seconds before you try it again. A link that is right opens at any time.`}
  />
);
