import type { ExampleEvent } from "./example-event.ts";

/** Ways to send an event, ready to copy. */
export interface Snippets {
  readonly curl: string;
  readonly javascript: string;
}

/**
 * Commands that send an event to `POST /v1/events`. What the event holds is quoted, so that nothing in it
 * is run.
 *
 * @param origin of the deployment, as in `https://usage.example.com`.
 */
export function previewSnippets(event: ExampleEvent, origin: string): Snippets {
  const address = `${origin}/v1/events`;
  return {
    curl: [
      `curl -X POST ${quote(address)}`,
      `-H 'Authorization: Bearer YOUR_INGEST_KEY'`,
      `-H 'Content-Type: application/json'`,
      `-d ${quote(JSON.stringify(event))}`,
    ].join(" \\\n  "),
    javascript: `await fetch(${script(address)}, {
  method: "POST",
  headers: { authorization: "Bearer YOUR_INGEST_KEY", "content-type": "application/json" },
  body: JSON.stringify(${script(event)}),
});`,
  };
}

/** For a shell: nothing has a meaning between single quotes but the next one. */
function quote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** As a JavaScript value that may also stand inside a page. */
function script(value: unknown): string {
  return JSON.stringify(value, undefined, 2).replaceAll("\n", "\n  ").replaceAll("<", "\\u003c");
}
