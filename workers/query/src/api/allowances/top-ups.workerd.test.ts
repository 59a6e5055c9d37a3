import type { ProblemBody } from "@tidemark/contract";
import type { Allowance, TopUp } from "@tidemark/contract/allowance-schema";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { json, makeMetric, makeProject, type TestProject } from "../../../test/fixture.ts";
import { consume } from "../../../test/quota-fixture.ts";

const NOW = Date.parse("2026-03-10T12:00:00Z");
const ALLOWANCES = "/v1/customers/acme/allowances";

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["Date"], now: NOW });
});
afterEach(() => {
  vi.useRealTimers();
});

async function setUp(): Promise<TestProject> {
  const project = await makeProject();
  await makeMetric(project, { slug: "calls", type: "limit_metered" });
  return project;
}

function post<Answer = Allowance>(project: TestProject, body: object, status = 201): Promise<Answer> {
  return json(project, `POST ${ALLOWANCES}`, { body, status });
}

test("a top-up grants units that are used before the base, until they expire", async () => {
  const project = await setUp();
  const made = await post(project, { metric: "calls", base: 10 });
  const granted = await post<TopUp>(project, {
    metric: "calls",
    amount: "5",
    reason: "Apology for the outage",
    expires_at: "2026-03-11T00:00:00Z",
  });
  expect(granted).toMatchObject({
    id: expect.stringMatching(/^top_[0-9A-Za-z]{20}$/) as string,
    allowance: made.id,
    metric: "calls",
    amount: "5",
    reason: "Apology for the outage",
    expires_at: "2026-03-11T00:00:00Z",
    limit: "10",
    carried: "5",
    remaining: "15",
  });
  await consume(project, "acme", "calls", { amount: 2 });
  vi.setSystemTime(Date.parse("2026-03-11T00:00:00Z"));
  const [{ standing } = { standing: [] }] = (await json<{ data: Allowance[] }>(project, `GET ${ALLOWANCES}`)).data;
  expect(standing).toMatchObject([{ used: "2", remaining: "10" }]);
});

test("a top-up is the same one when its key comes again, also a day later", async () => {
  const project = await setUp();
  await post(project, { metric: "calls", base: 10 });
  const options = {
    body: { metric: "calls", amount: 5, reason: "Once" },
    headers: { "idempotency-key": "once" },
    status: 201,
  };
  const first = await json<TopUp>(project, `POST ${ALLOWANCES}`, options);
  expect(await json(project, `POST ${ALLOWANCES}`, options)).toEqual(first);
  vi.setSystemTime(NOW + 2 * 86_400_000);
  expect(await json<TopUp>(project, `POST ${ALLOWANCES}`, options)).toMatchObject({ id: first.id, remaining: "15" });
});

test("a top-up can take units away, but no more than are left", async () => {
  const project = await setUp();
  await post(project, { metric: "calls", base: 10 });
  await consume(project, "acme", "calls", { amount: 4 });
  expect(await post(project, { metric: "calls", amount: -6, reason: "Fraud" })).toMatchObject({ remaining: "0" });
  const problem = await post<ProblemBody>(project, { metric: "calls", amount: -1, reason: "Fraud" }, 409);
  expect(problem.detail).toContain("Only 0 are left");
});

test("a top-up needs a limit to add to", async () => {
  const problem = await post<ProblemBody>(await setUp(), { metric: "calls", amount: 1, reason: "x" }, 409);
  expect(problem.code).toBe("no_allowance");
});
