import { CheckInputSchema } from "@tidemark/contract/decision-schema";
import { Problem } from "@tidemark/http/problem";
import { requireMeter, toProblem as meterProblem } from "../quota-meter.ts";
import { toProblem } from "../plumbing/issues.ts";
import type { Answerer } from "./tool.ts";

/** What is asked: one metric's use. */
export const QuotaInputSchema = CheckInputSchema.omit({ items: true }).required({ metric: true });

/**
 * The decision that `POST /v1/check` would give, from the same meter. That route belongs to another Worker and
 * wants a key that may use units; looking needs no more than `read`.
 *
 * @throws Problem missing_scope, invalid_request, unavailable, or what the meter found.
 */
export const checkQuota: Answerer = async (env, { project_id, scopes, catalog_version }, input) => {
  if (!scopes.has("read")) throw new Problem("missing_scope", 'This needs a key with the scope "read".');
  const read = QuotaInputSchema.safeParse(input);
  if (!read.success) throw toProblem(read.error);
  const { customer_id, metric, amount = 1, properties = null } = read.data;
  const address = { project_id, customer_id };
  const question = {
    ...address,
    kind: "check",
    catalog_version,
    items: [{ metric, amount }],
    id: "",
    is_named: false,
    properties,
    returns: null,
    enforce: true,
  } as const;
  const reply = await requireMeter(env, address, async (meter) => meter.decide(question));
  if (reply.kind === "problem") throw meterProblem(reply);
  return Response.json(reply.answer);
};
