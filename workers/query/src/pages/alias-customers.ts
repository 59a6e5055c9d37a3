import type { QueryAnswer } from "@tidemark/contract/query-schema";
import type { ReportAnswer } from "@tidemark/contract/report-schema";
import { hashKey } from "@tidemark/http/keys";
import type { PublicationAnswer } from "../api/publications/answer-question.ts";

/** Digits and letters that nobody takes for one another. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/** 40 bits: two of ten thousand customers share them once in twenty thousand answers, and then get longer names. */
const ALIAS_LENGTH = 8;
const GROUP_LENGTH = 4;

/**
 * The answer with customers under names that say nothing. They stay the same for as long as the publication
 * lasts and differ between publications; without the deployment's secret nobody can tell whose they are, not even
 * who knows every customer's id.
 */
export async function aliasCustomers(
  answer: PublicationAnswer,
  publicationId: string,
  secret: string,
): Promise<PublicationAnswer> {
  const aliases = await makeAliases(customersOf(answer), publicationId, secret);
  return "report" in answer ? aliasReport(answer, aliases) : aliasQuery(answer, aliases);
}

type Aliases = ReadonlyMap<string, string>;

function customersOf(answer: PublicationAnswer): ReadonlySet<string> {
  if ("report" in answer) return new Set(answer.data.map(({ customer_id }) => customer_id));
  const key = customerKeyOf(answer);
  return new Set(key === undefined ? [] : answer.data.flatMap(({ group }) => group[key] ?? []));
}

async function makeAliases(ids: ReadonlySet<string>, publicationId: string, secret: string): Promise<Aliases> {
  const texts = await Promise.all(
    Array.from(ids, async (id) => [id, toLetters(await hashKey(`alias:${publicationId}:${id}`, secret))] as const),
  );
  const aliases = new Map<string, string>();
  const taken = new Set<string>();
  for (const [id, text] of texts) {
    let length = ALIAS_LENGTH;
    while (taken.has(text.slice(0, length))) length += GROUP_LENGTH;
    taken.add(text.slice(0, length));
    aliases.set(id, `Customer ${text.slice(0, length).replaceAll(/.{4}(?=.)/g, "$&-")}`);
  }
  return aliases;
}

/** Five bits of each byte of a digest, which is hexadecimal. */
function toLetters(digest: string): string {
  return (digest.match(/../g) ?? []).map((byte) => ALPHABET.charAt(Number.parseInt(byte, 16) & 31)).join("");
}

function aliasReport(answer: ReportAnswer, aliases: Aliases): ReportAnswer {
  const data = answer.data.map((row) => ({
    ...row,
    customer_id: aliases.get(row.customer_id) ?? "",
    name: null,
  }));
  // Each row keeps the shape that its report gives it.
  return { ...answer, data } as ReportAnswer;
}

function aliasQuery(answer: QueryAnswer, aliases: Aliases): QueryAnswer {
  const key = customerKeyOf(answer);
  if (key === undefined) return answer;
  const data = answer.data.map((row) => ({
    ...row,
    group: { ...row.group, [key]: aliases.get(row.group[key] ?? "") ?? "" },
    name: null,
  }));
  return { ...answer, data };
}

/** Under what a query's rows have their customer; `undefined` where it does not tell customers apart. */
function customerKeyOf({ columns }: QueryAnswer): string | undefined {
  return columns.find((column) => column.in === "group" && column.kind === "customer")?.key;
}
