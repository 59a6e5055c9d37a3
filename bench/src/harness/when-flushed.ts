const POLL_MS = 500;
const TIMEOUT_MS = 120_000;

/** Waits until D1 has so many daily rows: every customer's usage arrives there by itself after a first event. */
export async function whenFlushed(url: string, rows: number): Promise<void> {
  for (const endAt = Date.now() + TIMEOUT_MS; Date.now() < endAt;) {
    const { usageRows } = await (await fetch(`${url}/flushed`)).json<{ readonly usageRows: number }>();
    if (usageRows === rows) return;
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
  throw new Error(`The ${rows} daily rows did not arrive in D1 within ${TIMEOUT_MS / 1000} s.`);
}
