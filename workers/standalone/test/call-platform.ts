import { createExecutionContext, waitOnExecutionContext } from "cloudflare:test";
import { env } from "cloudflare:workers";
import worker from "../src/index.ts";

/** Calls the platform, and expects success. */
export async function callPlatform<Answer>(key: string, target: string, body?: object): Promise<Answer> {
  const text = await (await requestPlatform(key, target, body)).text();
  return JSON.parse(text) as Answer;
}

/** The same for what is no JSON. */
export async function requestPlatform(key: string | null, target: string, body?: object): Promise<Response> {
  const [method = "GET", path = "/"] = target.split(" ", 2);
  const context = createExecutionContext();
  const request = new Request(new URL(path, "https://tidemark.test"), {
    method,
    headers: {
      ...(key === null ? {} : { authorization: `Bearer ${key}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const response = await worker.fetch(request as Parameters<typeof worker.fetch>[0], env, context);
  await waitOnExecutionContext(context);
  if (!response.ok) throw new Error(`${target} answered ${response.status}: ${await response.text()}`);
  return response;
}
