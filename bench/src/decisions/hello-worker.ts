/** A Worker that does nothing but answer. */
export default {
  fetch: () => new Response("Hello World!"),
} satisfies ExportedHandler;
