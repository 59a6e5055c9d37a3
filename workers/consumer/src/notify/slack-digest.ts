import type { DigestBody } from "@tidemark/contract/digest-schema";
import { clip, context, escapeText, header, packLines, section, type SlackMessage } from "./slack-blocks.ts";

/** A digest as a message: the week's figure, then who grew, dropped, went quiet, or is near a limit. */
export function toDigestMessage(digest: DigestBody): SlackMessage {
  const { grew, dropped, went_quiet, near_limits, period, time_zone } = digest;
  const title = `${digest.digest}: ${digest.name}`;
  const summary = toSummary(digest);
  const lines = [
    ...listed("Grew", grew, ({ value, previous, change }) => `${previous} → ${figure(value)} (${percent(change)})`),
    ...listed(
      "Dropped",
      dropped,
      ({ value, previous, change }) => `${previous} → ${figure(value)} (${percent(change)})`,
    ),
    ...listed("Went quiet", went_quiet, ({ silent_days, value }) => `silent for ${silent_days} days, used ${value}`),
    ...listedNear(near_limits),
  ];
  const { blocks, packed } = packLines(lines);
  const cut = packed < lines.length ? " The rest did not fit: see the reports." : "";
  const estimate = digest.approximate ? " ≈ estimates." : "";
  return {
    text: `${clip(title)}: ${summary}`,
    blocks: [
      header(title),
      section(summary),
      ...(blocks.length === 0 ? [section("Nobody grew, dropped, went quiet or is near a limit.")] : blocks),
      context(`${period.from} to ${period.to}, ${clip(time_zone)}.${estimate}${cut}`),
    ],
  };
}

function toSummary({ total: { value, previous, change }, unit }: DigestBody): string {
  const before = previous === null ? "" : `, ${previous} in the week before`;
  return `${figure(value)} ${clip(unit)}${before}${change === null ? "" : ` (${percent(change)})`}`;
}

interface Listed {
  readonly customer_id: string;
  readonly name: string | null;
}

/** Who is near a limit, and what is not known of it. */
function listedNear(near: DigestBody["near_limits"]): readonly string[] {
  const lines = listed("Near a limit", near, ({ label, value, allowance, share }) => {
    const of = share === null ? "" : ` (${percent(share, false)})`;
    return `${value} of ${allowance}${of}${label === null ? "" : `, ${label}`}`;
  });
  const doubts = [
    ...(near.unanswered > 0 ? [`… and perhaps ${near.unanswered} more, whose meters did not answer`] : []),
    ...(near.more ? ["… and perhaps others: only those who came near a limit last were asked"] : []),
  ];
  return lines.length === 0 && doubts.length > 0 ? ["*Near a limit (0)*", ...doubts] : [...lines, ...doubts];
}

/** A list as lines: its title with how many customers there are in all, and its first rows. */
function listed<Row extends Listed>(
  title: string,
  { count, rows }: { readonly count: number; readonly rows: readonly Row[] },
  describe: (row: Row) => string,
): readonly string[] {
  if (count === 0) return [];
  const shown = rows.map((row) => `• ${clip(row.name ?? row.customer_id)}: ${clip(describe(row))}`);
  // A customer can have several rows.
  const rest = count - new Set(rows.map(({ customer_id }) => customer_id)).size;
  const more = rest > 0 ? [`… and ${rest} more`] : [];
  return [`*${escapeText(title)} (${count})*`, ...shown, ...more];
}

function figure(value: string | null): string {
  return value ?? "nothing";
}

/** A share as per cent, by moving the point of its decimal: "0.3125" is "31.25 %". */
function percent(share: string, isSigned = true): string {
  const [, minus = "", whole = "0", digits = ""] = /^(-?)(\d+)(?:\.(\d+))?$/.exec(share) ?? [];
  const moved = (whole + digits.padEnd(2, "0").slice(0, 2)).replace(/^0+(?=\d)/, "");
  const fraction = digits.slice(2).replace(/0+$/, "");
  const sign = minus === "" && isSigned ? "+" : minus;
  return `${sign}${moved}${fraction === "" ? "" : `.${fraction}`} %`;
}
