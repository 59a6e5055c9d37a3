interface HeapUsage {
  readonly usedSize: number;
  readonly backingStorageSize?: number;
}

/** How long to wait for garbage to be collected: some isolates never answer that. */
const COLLECT_MS_MAX = 10_000;

/** V8's inspector of one Worker's isolate. */
export class IsolateInspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #asked = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => {
      const { id, result } = JSON.parse(String(data)) as { readonly id?: number; readonly result: unknown };
      if (id !== undefined) this.#waiting.get(id)?.(result);
    });
  }

  static async open(port: number, worker: string): Promise<IsolateInspector> {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/core:user:${worker}`);
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("error", () => reject(new Error("The inspector does not answer.")));
    });
    return new IsolateInspector(socket);
  }

  /** Bytes in use, buffers outside the heap and garbage included. */
  async memoryBytes(): Promise<number> {
    const { usedSize, backingStorageSize = 0 } = (await this.#ask("Runtime.getHeapUsage")) as HeapUsage;
    return usedSize + backingStorageSize;
  }

  /**
   * Bytes that are really held; `NaN` when the isolate does not answer. Then it will not answer anything
   * again: ask this last.
   */
  async liveBytes(): Promise<number> {
    const { promise, resolve } = Promise.withResolvers<null>();
    const timer = setTimeout(() => resolve(null), COLLECT_MS_MAX);
    const collected = await Promise.race([this.#ask("HeapProfiler.collectGarbage"), promise]);
    clearTimeout(timer);
    return collected === null ? NaN : this.memoryBytes();
  }

  close(): void {
    this.#socket.close();
  }

  #ask(method: string): Promise<unknown> {
    const id = ++this.#asked;
    return new Promise((resolve) => {
      this.#waiting.set(id, (result) => {
        this.#waiting.delete(id);
        resolve(result);
      });
      this.#socket.send(JSON.stringify({ id, method }));
    });
  }
}
