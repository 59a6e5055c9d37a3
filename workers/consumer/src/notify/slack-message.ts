import type { DigestBody } from "@tidemark/contract/digest-schema";
import type { CrossingBody, DisabledBody, TestBody } from "@tidemark/contract/notice";
import type { StoredNotice } from "@tidemark/contract/webhook-event";
import { toDigestMessage } from "./slack-digest.ts";
import { clip, context, escapeText, header, packLines, type SlackMessage } from "./slack-blocks.ts";

/** Notices that are listed; the others are counted. */
const LISTED_MAX = 20;
/** Metrics by which the others are counted. */
const COUNTED_METRICS_MAX = 10;

/** Some notices as one message of Block Kit. A digest is one of its own. */
export function toSlackMessage(notices: readonly StoredNotice[]): SlackMessage {
  const [first] = notices;
  if (first?.kind === "digest") return toDigestMessage(JSON.parse(first.body) as DigestBody);
  const lines = notices.slice(0, LISTED_MAX).map(toLine);
  const { blocks, packed } = packLines(lines);
  const title = titleOf(notices);
  const others = notices.slice(packed);
  return {
    text: escapeText(title) + (notices.length === 1 ? `: ${lines[0] ?? ""}` : ""),
    blocks: [header(title), ...blocks, ...(others.length === 0 ? [] : [context(countOthers(others))])],
  };
}

function titleOf(notices: readonly StoredNotice[]): string {
  const crossed = notices.filter(({ kind }) => kind === "threshold_crossed").length;
  const [only, ...more] = notices;
  if (crossed < notices.length) return more.length === 0 && only !== undefined ? TITLES[only.kind] : "Notices";
  return crossed === 1 ? TITLES.threshold_crossed : `${crossed} thresholds were crossed`;
}

const TITLES: Readonly<Record<StoredNotice["kind"], string>> = {
  threshold_crossed: "A threshold was crossed",
  digest: "Digest",
  webhook_test: "A test",
  destination_disabled: "A destination was disabled",
};

function toLine({ kind, customer_id, body }: StoredNotice): string {
  const told: unknown = JSON.parse(body);
  switch (kind) {
    case "threshold_crossed":
      return toCrossingLine(customer_id, told as CrossingBody);
    case "webhook_test":
      return `This is a test of *${clip((told as TestBody).destination.name)}*: notices arrive here.`;
    case "destination_disabled":
      return toDisabledLine(told as DisabledBody);
    case "digest":
      return `A digest of ${clip((told as DigestBody).metric)}.`;
  }
}

function toCrossingLine(
  customer: string,
  { name, metric, segment, label, operator, line, value, allowance, cycle }: CrossingBody,
): string {
  const of = allowance === null ? "" : ` of ${clip(allowance)}`;
  const named = name === null ? "" : `${clip(name)}: `;
  const whose = label === undefined || label === "" ? "" : ` for ${clip(label)}`;
  const where = segment === undefined || segment === null ? "" : ` in ${clip(segment)}`;
  const span = `${cycle.start.slice(0, 10)} to ${cycle.end.slice(0, 10)}`;
  return `${named}*${clip(customer)}* used ${clip(value)}${of} ${clip(metric)}${whose}${where} (${escapeText(operator)} ${clip(line)}, ${span})`;
}

function toDisabledLine({ destination, reason, failing_since }: DisabledBody): string {
  const why = reason === "gone" ? "it answered 410" : `every attempt since ${failing_since.slice(0, 10)} failed`;
  return `Nothing more is sent to *${clip(destination.name)}*: ${why}. PATCH /v1/destinations/${clip(destination.id)} with \`{"enabled": true}\` when it works again.`;
}

/** "and 980 more: 600 of requests, 380 of tokens". */
function countOthers(others: readonly StoredNotice[]): string {
  const counts = new Map<string, number>();
  for (const { kind, body } of others) {
    const what = kind === "threshold_crossed" ? (JSON.parse(body) as CrossingBody).metric : "other things";
    counts.set(what, (counts.get(what) ?? 0) + 1);
  }
  const most = [...counts].toSorted(([, a], [, b]) => b - a);
  const told = most.slice(0, COUNTED_METRICS_MAX).map(([what, count]) => `${count} of ${clip(what)}`);
  const rest = most.length > COUNTED_METRICS_MAX ? ", …" : "";
  return `and ${others.length} more: ${told.join(", ")}${rest}`;
}
