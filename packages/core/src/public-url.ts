/**
 * Which addresses notices may be posted to. Whoever names an address chooses where our servers send a request, so
 * that only what every stranger could reach as well is let through: https on its own port, by a public host name.
 * What a name resolves to cannot be seen here; that the deployment's fetch reaches public hosts only is a flag of its
 * configuration.
 */

/** A URL after WHATWG parsing, which has decoded, lowercased and translated (IDNA) the host already. */
export interface ParsedUrl {
  readonly href: string;
  readonly origin: string;
  readonly protocol: string;
  readonly username: string;
  readonly password: string;
  /** Without the port; IPv6 in brackets. */
  readonly hostname: string;
  /** Empty where it is the protocol's own. */
  readonly port: string;
  readonly pathname: string;
  readonly search: string;
}

/** Why an address is refused. */
export type UrlFault =
  | "not_https"
  | "has_userinfo"
  | "has_port"
  | "ip_address"
  | "not_a_host_name"
  | "single_label"
  | "not_public"
  | "own_host";

/** What is wrong, as a sentence that says what to do. */
export const URL_FAULTS: Readonly<Record<UrlFault, string>> = {
  not_https: "Must begin with https://.",
  has_userinfo: "Must not hold a user name or a password; verify the signature instead.",
  has_port: "Must not name a port: webhooks go to 443.",
  ip_address: "Must name a host, not an IP address.",
  not_a_host_name: "Must name a host of letters, digits and hyphens, of at most 253 characters.",
  single_label: "Must name a public host, with a dot in its name.",
  not_public: "Must name a public host: this one belongs to a private network or to tests.",
  own_host: "Must not be Tidemark's own host.",
};

/**
 * Why a URL is no public address, or `null` when it is one.
 *
 * @param ownHosts the host names under which this deployment is reached.
 */
export function findUrlFault(url: ParsedUrl, ownHosts: readonly string[]): UrlFault | null {
  if (url.protocol !== "https:") return "not_https";
  if (url.username !== "" || url.password !== "") return "has_userinfo";
  if (url.port !== "") return "has_port";
  const host = stripDot(url.hostname);
  // WHATWG parsing has written every spelling of an IPv4 address as four decimal numbers, and IPv6 in brackets.
  if (host.startsWith("[") || IPV4.test(host)) return "ip_address";
  const labels = host.split(".");
  if (host.length > HOST_LENGTH_MAX || !labels.every((label) => LABEL.test(label))) return "not_a_host_name";
  if (isUnder(host, PRIVATE_NAMES)) return "not_public";
  if (labels.length === 1) return "single_label";
  return ownHosts.some((own) => stripDot(own.toLowerCase()) === host) ? "own_host" : null;
}

const IPV4 = /^\d+(?:\.\d+){3}$/;
/** RFC 1035; the underscore is none of a host's, but resolvers and certificates take it. */
const HOST_LENGTH_MAX = 253;
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/;

/**
 * Names that are not public, by RFC 2606, 6761, 6762, 7686, 8375 and 9476 or by habit; then services that resolve to
 * whatever private address a name spells.
 */
const PRIVATE_NAMES: ReadonlySet<string> = new Set([
  ..."localhost localdomain local internal intranet private corp home lan".split(" "),
  ..."test example invalid arpa onion alt i2p".split(" "),
  ..."nip.io sslip.io xip.io localtest.me lvh.me lacolhost.com vcap.me traefik.me".split(" "),
]);

/** Whether a host is one of some names, or below one. */
function isUnder(host: string, names: ReadonlySet<string>): boolean {
  const labels = host.split(".");
  return labels.some((_, from) => names.has(labels.slice(from).join(".")));
}

/** A dot at the end only says that the name is complete. */
function stripDot(host: string): string {
  return host.replace(/\.$/, "");
}
