/** What Slack takes as a message: `text` is what a notification shows. */
export interface SlackMessage {
  readonly text: string;
  readonly blocks: readonly SlackBlock[];
}

export type SlackBlock =
  | { readonly type: "header"; readonly text: { readonly type: "plain_text"; readonly text: string } }
  | { readonly type: "section"; readonly text: Markdown }
  | { readonly type: "context"; readonly elements: readonly Markdown[] };

interface Markdown {
  readonly type: "mrkdwn";
  readonly text: string;
  /** Nothing in it becomes a link, a channel or a mention by itself. */
  readonly verbatim: true;
}

/** Slack's limits: characters of a header and a section; a message is refused from some 13 kB on. */
const HEADER_LENGTH_MAX = 150;
const SECTION_LENGTH_MAX = 2_900;
/** Bytes of all lines, which leaves room for what stands around them. */
const LINES_BYTES_MAX = 8_000;
/** Characters of a name that is shown. */
const SHOWN_MAX = 100;

/** The three characters that mean something to Slack: what a customer calls itself mentions nobody. */
export function escapeText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

/** A text of somebody else's, cut to a length that people read, on one line, escaped. */
export function clip(text: string): string {
  const line = text.replaceAll(/[\s\p{Cc}]+/gu, " ").toWellFormed();
  const cut = line.length > SHOWN_MAX ? `${line.slice(0, SHOWN_MAX - 1).toWellFormed()}…` : line;
  return escapeText(cut);
}

/** A heading: plain text, in which nothing is markup, but which is escaped all the same. */
export function header(text: string): SlackBlock {
  const line = text.replaceAll(/[\s\p{Cc}]+/gu, " ").toWellFormed();
  let cut = line.slice(0, HEADER_LENGTH_MAX).toWellFormed();
  while (escapeText(cut).length > HEADER_LENGTH_MAX) cut = cut.slice(0, -1).toWellFormed();
  return { type: "header", text: { type: "plain_text", text: escapeText(cut) } };
}

export function section(text: string): SlackBlock {
  return { type: "section", text: { type: "mrkdwn", text, verbatim: true } };
}

/** Small print. */
export function context(text: string): SlackBlock {
  return { type: "context", elements: [{ type: "mrkdwn", text, verbatim: true }] };
}

/** As many lines as a message holds, in as few sections as they fit in. */
export function packLines(lines: readonly string[]): {
  readonly blocks: readonly SlackBlock[];
  /** How many lines there was room for. */
  readonly packed: number;
} {
  const sections: string[] = [];
  let bytes = 0;
  let packed = 0;
  for (const line of lines) {
    bytes += new TextEncoder().encode(line).byteLength + 1;
    if (bytes > LINES_BYTES_MAX) break;
    const last = sections.at(-1);
    if (last === undefined || last.length + line.length + 1 > SECTION_LENGTH_MAX) sections.push(line);
    else sections[sections.length - 1] = `${last}\n${line}`;
    packed++;
  }
  return { blocks: sections.map(section), packed };
}
