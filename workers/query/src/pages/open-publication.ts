import { findPublished } from "@tidemark/db/publications";
import { equalDigests } from "@tidemark/http/keys";
import type { Hindrance } from "@tidemark/ui";
import { answerQuestion, type PublicationAnswer } from "../api/publications/answer-question.ts";
import { type Frozen, readFrozen } from "../api/publications/publication.ts";
import type { QueryEnv } from "../env.ts";
import { aliasCustomers } from "./alias-customers.ts";
import { findHindrance } from "./find-hindrance.ts";

/** A publication that its key opened. */
export interface Opened {
  readonly title: string;
  readonly theme: Frozen["options"]["theme"];
  readonly expires_at: number | null;
  /** Or why there is none any more. */
  readonly answer: PublicationAnswer | { readonly hindrance: Hindrance };
}

/** What no link of ours looks like is not looked up. That tells nobody anything: who asks can see it as well. */
export function looksLikeLink(id: string, key: string): boolean {
  return ID.test(id) && KEY.test(key);
}

/**
 * What a publication shows to whoever has its key.
 *
 * @param keyHash SHA-256 of the key that came.
 * @returns `undefined` when the id is unknown, the key is wrong, or it has expired or was revoked. All of
 * these read one row and compare two hashes, so that the time tells them apart as little as the answer does.
 */
export async function openPublication(env: QueryEnv, id: string, keyHash: string): Promise<Opened | undefined> {
  const row = await findPublished(env.DB, id);
  const isKey = equalDigests(row?.key_hash ?? NO_HASH, keyHash);
  if (row === undefined || !isKey || row.revoked_at !== null) return undefined;
  const { title, expires_at } = row;
  if (expires_at !== null && expires_at <= Date.now()) return undefined;
  const { options, ...question } = readFrozen(row);
  const answer = await whilePossible(answerQuestion(env, row.project_id, question));
  const opened = { title, theme: options.theme, expires_at };
  if ("hindrance" in answer || !options.alias_customers) return { ...opened, answer };
  const source = { publicationId: id, secret: env.KEY_PEPPER };
  return { ...opened, answer: await aliasCustomers(answer, question, source) };
}

async function whilePossible(answer: Promise<PublicationAnswer>): Promise<Opened["answer"]> {
  try {
    return await answer;
  } catch (error) {
    const hindrance = findHindrance(error);
    if (hindrance === undefined) throw error;
    return { hindrance };
  }
}

const ID = /^pub_[0-9A-Za-z]{20}$/;
const KEY = /^[0-9A-Za-z]{32}$/;

/** As long as a hash, and no text has it. */
const NO_HASH = "-".repeat(64);
