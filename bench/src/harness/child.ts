import { type ChildProcess, fork, type Serializable } from "node:child_process";
import { fileURLToPath } from "node:url";

/** What goes back to the parent. */
type Reply<Result> = { readonly result: Result } | { readonly error: string };

/** A forked process that answers commands, one after another. */
export class Child<Command extends Serializable, Result> {
  readonly #process: ChildProcess;

  /** @param url of a module that calls `answerParent`. */
  constructor(url: string) {
    this.#process = fork(fileURLToPath(url));
  }

  /** @throws Error when the command failed, or the process has ended. */
  ask(command: Command): Promise<Result> {
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error("The process ended."));
      this.#process.once("exit", ended);
      this.#process.once("message", (reply: Reply<Result>) => {
        this.#process.off("exit", ended);
        if ("error" in reply) reject(new Error(reply.error));
        else resolve(reply.result);
      });
      this.#process.send(command);
    });
  }

  stop(): void {
    this.#process.kill();
  }
}

/** Answers the parent's commands until it goes. */
export function answerParent(answer: (command: unknown) => Promise<unknown>): void {
  process.on("message", (command: unknown) => {
    void replyTo(command, answer).then((reply) => process.send?.(reply));
  });
  process.on("disconnect", () => process.exit());
}

async function replyTo(command: unknown, answer: (command: unknown) => Promise<unknown>): Promise<Reply<unknown>> {
  try {
    return { result: await answer(command) };
  } catch (error) {
    return { error: String(error) };
  }
}
