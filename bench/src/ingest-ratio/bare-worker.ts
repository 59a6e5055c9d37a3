interface Env {
  readonly EVENTS: Queue<string>;
}

/** What the platform takes in one message. */
const MESSAGE_BYTES_MAX = 128_000;

/** The rival: the least that a Worker can do which takes JSON and puts it on a queue. */
export default {
  async fetch(request, env) {
    const text = await request.text();
    const events: unknown = JSON.parse(text);
    if (text.length <= MESSAGE_BYTES_MAX || !Array.isArray(events))
      await env.EVENTS.send(text, { contentType: "text" });
    else await env.EVENTS.sendBatch(split(events, Math.ceil(text.length / MESSAGE_BYTES_MAX)));
    return new Response(null, { status: 202 });
  },
} satisfies ExportedHandler<Env>;

function split(events: readonly unknown[], parts: number): MessageSendRequest<string>[] {
  const size = Math.ceil(events.length / parts);
  return Array.from({ length: parts }, (_, part) => ({
    body: JSON.stringify(events.slice(part * size, (part + 1) * size)),
    contentType: "text",
  }));
}
