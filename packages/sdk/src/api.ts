import { retryAfterMs } from "./backoff.ts";
import { TidemarkError, toTidemarkError } from "./tidemark-error.ts";

/** What became of one attempt. */
export type Answer<T> =
  | { readonly kind: "answered"; readonly body: T }
  /** Tidemark has understood and refused: trying again would not help. */
  | { readonly kind: "refused"; readonly error: TidemarkError }
  /** No word of Tidemark's: it is away, overloaded, or something else has answered. Trying again is safe. */
  | { readonly kind: "unavailable"; readonly detail: string; readonly retryAfterMs: number | null };

/** The part of `fetch` that the client uses. */
export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface ApiOptions {
  readonly url: string;
  readonly key: string;
  readonly fetch?: Fetch | undefined;
}

/** The version of this package, in the `User-Agent` of every request. */
export const VERSION = "0.1.0";

/** Speaks HTTP with Tidemark, one attempt at a time. */
export class Api {
  readonly #origin: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #fetch: Fetch;

  constructor(options: ApiOptions) {
    this.#origin = options.url.replace(/\/+$/, "");
    this.#headers = {
      authorization: `Bearer ${options.key}`,
      "content-type": "application/json",
      // Browsers do not let a page say this; they leave it out.
      "user-agent": `tidemark-sdk/${VERSION}`,
    };
    // Looked up with every call, so that what is put around the global one later is used too.
    this.#fetch = options.fetch ?? ((url, init) => fetch(url, init));
  }

  /**
   * Posts a body once. Never throws, and has an answer after `timeoutMs`, whatever comes or does not come.
   *
   * @param parse reads the body of a success; `undefined` says that it is none of Tidemark's.
   */
  async post<T>(
    path: string,
    body: string,
    parse: (body: unknown) => T | undefined,
    timeoutMs: number,
  ): Promise<Answer<T>> {
    try {
      const response = await this.#fetch(this.#origin + path, {
        method: "POST",
        headers: this.#headers,
        body,
        // Followed, a redirect would become a GET, and its answer no answer of ours.
        redirect: "manual",
        signal: AbortSignal.timeout(Math.max(1, Math.ceil(timeoutMs))),
      });
      return judge(response, await response.text(), parse);
    } catch (error) {
      return { kind: "unavailable", detail: describe(error, timeoutMs), retryAfterMs: null };
    }
  }
}

function judge<T>(response: Response, text: string, parse: (body: unknown) => T | undefined): Answer<T> {
  const { status } = response;
  const body = parseJson(text);
  const parsed = response.ok ? parse(body) : undefined;
  if (parsed !== undefined) return { kind: "answered", body: parsed };
  const error = status >= 400 && !passing(status) ? (toTidemarkError(status, body) ?? tooLarge(status)) : undefined;
  if (error !== undefined) return { kind: "refused", error };
  return {
    kind: "unavailable",
    detail: passing(status) ? `Tidemark answered ${status}.` : `The answer (${status}) is not one of Tidemark's.`,
    retryAfterMs: retryAfterMs(response.headers.get("retry-after"), Date.now()),
  };
}

/** Statuses that are about the moment, not about the request. */
function passing(status: number): boolean {
  return status === 408 || status === 429 || status >= 500;
}

/** A proxy on the way may take less than Tidemark does, and says so in its own words. */
function tooLarge(status: number): TidemarkError | undefined {
  if (status !== 413) return undefined;
  return new TidemarkError({ code: "too_large", detail: "Something on the way refuses a body of this size.", status });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function describe(error: unknown, timeoutMs: number): string {
  if (!(error instanceof Error)) return `The request failed: ${String(error)}`;
  if (error.name === "TimeoutError") return `There was no answer within ${Math.round(timeoutMs)} ms.`;
  const { cause } = error;
  return `The request failed: ${error.message}${cause instanceof Error ? ` (${cause.message})` : ""}`;
}
