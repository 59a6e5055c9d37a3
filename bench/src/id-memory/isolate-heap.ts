interface HeapUsage {
  readonly usedSize: number;
  readonly backingStorageSize?: number;
}

/** Asks V8's inspector how many bytes a Worker's isolate holds, buffers outside the heap included, after collecting its garbage. */
export async function readIsolateHeap(inspectorPort: number, worker: string): Promise<number> {
  const socket = new WebSocket(`ws://127.0.0.1:${inspectorPort}/core:user:${worker}`);
  try {
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("error", () => reject(new Error("The inspector does not answer.")));
    });
    await ask(socket, 1, "HeapProfiler.collectGarbage");
    const { usedSize, backingStorageSize = 0 } = await ask<HeapUsage>(socket, 2, "Runtime.getHeapUsage");
    return usedSize + backingStorageSize;
  } finally {
    socket.close();
  }
}

function ask<Result>(socket: WebSocket, id: number, method: string): Promise<Result> {
  return new Promise((resolve) => {
    const receive = ({ data }: MessageEvent): void => {
      const answer = JSON.parse(String(data)) as { readonly id?: number; readonly result: Result };
      if (answer.id !== id) return;
      socket.removeEventListener("message", receive);
      resolve(answer.result);
    };
    socket.addEventListener("message", receive);
    socket.send(JSON.stringify({ id, method }));
  });
}
