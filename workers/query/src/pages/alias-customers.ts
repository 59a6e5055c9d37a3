import type { PublicationQuestion } from "@tidemark/contract/publication-schema";
import { hashKey } from "@tidemark/http/keys";
import type { PublicationAnswer } from "../api/publications/answer-question.ts";
import { aliasQuery, customerKeyOf } from "./alias-query.ts";
import { aliasReport } from "./alias-report.ts";

/** Digits and letters that nobody takes for one another. */
const ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
/** 40 bits: two of ten thousand customers share them once in twenty thousand answers, and then get longer names. */
const ALIAS_LENGTH = 8;
const GROUP_LENGTH = 4;

/** What an alias follows from besides the customer. */
export interface AliasSource {
  readonly publicationId: string;
  /** The deployment's. */
  readonly secret: string;
}

/**
 * The answer with customers under names that say nothing. They stay the same for as long as the publication
 * lasts and differ between publications; without the deployment's secret nobody can tell whose they are, not even
 * who knows every customer's id. Neither do the rows' order and their other fields; figures stay as they are.
 */
export async function aliasCustomers(
  answer: PublicationAnswer,
  question: PublicationQuestion,
  source: AliasSource,
): Promise<PublicationAnswer> {
  const aliases = await makeAliases(customersOf(answer), source);
  const aliasOf = (id: string): string => aliases.get(id) ?? "";
  if ("report" in answer) return aliasReport(answer, aliasOf);
  return aliasQuery(answer, "query" in question ? question.query.order_by : [], aliasOf);
}

function customersOf(answer: PublicationAnswer): ReadonlySet<string> {
  if ("report" in answer) return new Set(answer.data.map(({ customer_id }) => customer_id));
  const key = customerKeyOf(answer);
  return new Set(key === undefined ? [] : answer.data.flatMap(({ group }) => group[key] ?? []));
}

async function makeAliases(
  ids: ReadonlySet<string>,
  { publicationId, secret }: AliasSource,
): Promise<ReadonlyMap<string, string>> {
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
