/** Calls the HTTP API with a key, and expects success. */
export class ApiClient {
  readonly #url: string;
  readonly #key: string;

  constructor(url: string, key: string) {
    this.#url = url;
    this.#key = key;
  }

  async get<Answer>(path: string): Promise<Answer> {
    return this.#call<Answer>(path, { method: "GET" });
  }

  async post<Answer>(path: string, body: unknown): Promise<Answer> {
    return this.#call<Answer>(path, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "content-type": "application/json" },
    });
  }

  async #call<Answer>(
    path: string,
    init: { method: string; body?: string; headers?: Record<string, string> },
  ): Promise<Answer> {
    const response = await fetch(new URL(path, this.#url), {
      ...init,
      headers: { ...init.headers, authorization: `Bearer ${this.#key}` },
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${init.method} ${path} answered ${response.status}: ${text}`);
    return JSON.parse(text) as Answer;
  }
}

/** Asks again until the answer is right, or the time is up; then the last answer is returned. */
export async function eventually<Answer>(
  ask: () => Promise<Answer>,
  isRight: (answer: Answer) => boolean,
  timeoutMs: number,
): Promise<Answer> {
  for (const end = Date.now() + timeoutMs; ;) {
    const answer = await ask();
    if (isRight(answer) || Date.now() > end) return answer;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}
