import { Child } from "./child.ts";
import type { LoadCommand, LoadOrder, LoadPlan, LoadResult } from "./load-plan.ts";

/** The load process, as the process that measures sees it. */
export class LoadGenerator {
  readonly #child = new Child<LoadCommand, LoadResult | null>(import.meta.resolve("./load-process.ts"));

  /** Makes the requests that `send` sends. */
  async prepare(plan: LoadPlan): Promise<void> {
    await this.#child.ask({ plan });
  }

  async send(order: LoadOrder): Promise<LoadResult> {
    const result = await this.#child.ask({ order });
    if (result === null) throw new Error("The load process did not send.");
    if (result.refused > 0) throw new Error(`${result.refused} of ${result.requests} requests were refused.`);
    return result;
  }

  stop(): void {
    this.#child.stop();
  }
}
