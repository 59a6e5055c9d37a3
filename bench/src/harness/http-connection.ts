import { connect, type Socket } from "node:net";

const HEAD_END = "\r\n\r\n";

/** An answer; its body is only there until the next request is sent. */
export interface HttpAnswer {
  readonly status: number;
  readonly body: Buffer;
}

/**
 * A keep-alive connection that has one request in flight. It reads just enough of HTTP to find an
 * answer's status, body and end, because the client shares its cores with what it measures.
 */
export class HttpConnection {
  readonly #socket: Socket;
  #received = Buffer.alloc(0);
  #answered: ((answer: HttpAnswer) => void) | undefined;
  #failed: ((error: Error) => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.on("data", (chunk) => this.#receive(chunk));
    socket.on("error", (error) => this.#failed?.(error));
    socket.on("close", () => this.#failed?.(new Error("The server closed the connection.")));
  }

  static async open(port: number): Promise<HttpConnection> {
    const socket = connect({ port, host: "127.0.0.1" });
    await new Promise<void>((resolve, reject) => {
      socket.once("connect", resolve).once("error", reject);
    });
    return new HttpConnection(socket);
  }

  /** Sends a whole request and waits for the answer. The bytes must not change before that. */
  send(request: Uint8Array): Promise<HttpAnswer> {
    return new Promise((resolve, reject) => {
      this.#answered = resolve;
      this.#failed = reject;
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#failed = undefined;
    this.#socket.destroy();
  }

  #receive(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    const headEnd = this.#received.indexOf(HEAD_END);
    if (headEnd < 0) return;
    const head = this.#received.toString("latin1", 0, headEnd);
    const [, length] = /\r\ncontent-length: (\d+)/i.exec(head) ?? [];
    if (length === undefined) return this.#failed?.(new Error(`An answer without a length: ${head}`));
    const bodyAt = headEnd + HEAD_END.length;
    if (this.#received.length < bodyAt + Number(length)) return;
    const body = this.#received.subarray(bodyAt);
    this.#received = Buffer.alloc(0);
    this.#answered?.({ status: Number(head.slice(9, 12)), body });
  }
}
