import { findUrlFault, type ParsedUrl, URL_FAULTS } from "@tidemark/core/public-url";
import { DESTINATION_URL_LENGTH_MAX } from "./limits.ts";

/** An address as a person wrote it, and as the platform's `URL.parse` reads it. */
export interface WrittenAddress {
  readonly text: string;
  readonly url: ParsedUrl | null;
}

/** Beside the rules for everybody, what holds where this is deployed. */
export interface AddressRules {
  /** Origins that are let through without a question, separated by spaces: for development alone. */
  readonly allowedOrigins: string;
  /** Host names under which this deployment is reached. */
  readonly ownHosts: readonly string[];
}

/** An address as it is stored and posted to, or why it is none: a sentence that says what to do. */
export type CheckedAddress = { readonly url: string } | { readonly fault: string };

/** Checks where notices would go: when a destination is made, and again before each attempt. */
export function checkAddress(
  kind: "webhook" | "slack",
  { text, url }: WrittenAddress,
  { allowedOrigins, ownHosts }: AddressRules,
): CheckedAddress {
  if (url === null || text.length > DESTINATION_URL_LENGTH_MAX || !PLAIN.test(text)) return NOT_A_URL;
  const { href, origin, username, password } = url;
  if (username + password === "" && allowedOrigins.split(" ").includes(origin)) return { url: href };
  if (kind === "slack") return SLACK.test(href) ? { url: href } : NOT_SLACK;
  const fault = findUrlFault(url, ownHosts);
  return fault === null ? { url: href } : { fault: URL_FAULTS[fault] };
}

/** A parser would mend blanks, backslashes and missing slashes in silence, and drop a fragment; nobody means them. */
const PLAIN = /^https?:\/\/[^\s\\#/\p{Cc}][^\s\\#\p{Cc}]*$/iu;

const NOT_A_URL = {
  fault: `Must be a URL such as https://example.com/hooks/usage, of at most ${DESTINATION_URL_LENGTH_MAX} characters, without spaces, backslashes or a fragment.`,
};

const SLACK =
  /^https:\/\/hooks\.slack(?:-gov)?\.com\/services\/[A-Za-z0-9]{1,40}\/[A-Za-z0-9]{1,40}\/[A-Za-z0-9]{1,80}$/;

const NOT_SLACK = {
  fault: "Must be the URL of an incoming webhook as Slack shows it: https://hooks.slack.com/services/T…/B…/….",
};

/** What people may see of an address: its path and query can be a secret, as Slack's are. */
export function maskAddress({ href, origin, pathname, search }: ParsedUrl): string {
  const rest = pathname + search;
  if (rest === "/") return href;
  return `${origin}/…${rest.length >= LONG ? rest.slice(-TAIL_LENGTH) : ""}`;
}

/** The end of a long path tells two addresses apart, and gives nothing away. */
const TAIL_LENGTH = 4;
const LONG = 20;
