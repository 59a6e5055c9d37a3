/** A queue's consumer that takes everything and does nothing with it. */
export default {
  queue(batch) {
    batch.ackAll();
  },
} satisfies ExportedHandler<object, string>;
