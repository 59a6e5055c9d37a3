import { type ChildProcess, fork } from "node:child_process";
import { join } from "node:path";
import type { LoadCommand, LoadOrder, LoadPlan, LoadReply, LoadResult } from "./load-plan.ts";

/** The load process, as the process that measures sees it. */
export class LoadGenerator {
  readonly #child: ChildProcess = fork(join(import.meta.dirname, "load-process.ts"));

  /** Makes the bodies that `send` sends. */
  async prepare(plan: LoadPlan): Promise<void> {
    await this.#ask({ plan });
  }

  async send(order: LoadOrder): Promise<LoadResult> {
    const reply = await this.#ask({ order });
    if (!("result" in reply)) throw new Error("The load process did not send.");
    if (reply.result.refused > 0)
      throw new Error(`${reply.result.refused} of ${reply.result.requests} requests were not answered 202.`);
    return reply.result;
  }

  stop(): void {
    this.#child.kill();
  }

  #ask(command: LoadCommand): Promise<LoadReply> {
    return new Promise((resolve, reject) => {
      const ended = (): void => reject(new Error("The load process ended."));
      this.#child.once("exit", ended);
      this.#child.once("message", (reply: LoadReply) => {
        this.#child.off("exit", ended);
        if ("error" in reply) reject(new Error(`The load process: ${reply.error}`));
        else resolve(reply);
      });
      this.#child.send(command);
    });
  }
}
