import type { BalanceDefinition, CyclesRequest, FinalCycle } from "@tidemark/contract";
import { fromExactJson, toExactJson } from "@tidemark/core/exact-json";
import { LiveBalance, type StoredLive } from "./live-balance.ts";

/** Labels of a limit `per` label that have an allowance of their own; the rest share one. */
const LABELS_MAX = 100;
const OTHER_LABEL = "(other)";

/** The balances of a customer, and the definitions that they follow. */
export class LiveBalances {
  readonly #sql: SqlStorage;
  readonly #definitions = new Map<string, BalanceDefinition>();
  #lives: LiveBalance[] = [];

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Reads what was stored. */
  load(stored: readonly StoredLive[]): void {
    for (const { body } of this.#sql.exec<{ body: string }>("SELECT body FROM definitions")) {
      const definition = fromExactJson(body) as BalanceDefinition;
      this.#definitions.set(definition.id, definition);
    }
    this.#lives = stored.map((live) => LiveBalance.load(live, this.#definitions));
  }

  get all(): readonly LiveBalance[] {
    return this.#lives;
  }

  /** Whether no person, and no default product, has ever set anything here. */
  get wasNeverSet(): boolean {
    if (this.#definitions.size > 0) return false;
    return this.#sql.exec("SELECT 1 FROM cycles LIMIT 1").toArray().length === 0;
  }

  definition(id: string): BalanceDefinition | undefined {
    return this.#definitions.get(id);
  }

  /** Puts a definition in force. */
  define(definition: BalanceDefinition): void {
    this.#definitions.set(definition.id, definition);
    this.#sql.exec(
      "INSERT INTO definitions (id, body) VALUES (?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
      definition.id,
      toExactJson(definition),
    );
  }

  /** Forgets definitions that have no balance any more. */
  forgetUnused(): void {
    const used = new Set(this.#lives.map(({ definition }) => definition.id));
    for (const id of this.#definitions.keys()) {
      if (used.has(id)) continue;
      this.#definitions.delete(id);
      this.#sql.exec("DELETE FROM definitions WHERE id = ?", id);
    }
  }

  /** The balances of a definition, ended ones too. */
  ofDefinition(id: string): readonly LiveBalance[] {
    return this.#lives.filter(({ definition }) => definition.id === id);
  }

  /**
   * The balances of a metric that go on, for a label where a limit is per label. One that a label does not have
   * yet is only begun: `adopt` it when something happens to it.
   */
  of(metricId: string, now: number, labelOf: (path: string) => string): readonly LiveBalance[] {
    const found: LiveBalance[] = [];
    for (const definition of this.#definitions.values()) {
      if (definition.metric_id !== metricId) continue;
      const { per } = definition.terms;
      const live = this.#open(definition, per === null ? "" : labelOf(per), now);
      if (live !== undefined) found.push(live);
    }
    return found;
  }

  #open(definition: BalanceDefinition, label: string, now: number): LiveBalance | undefined {
    const open = this.ofDefinition(definition.id).filter(({ balance }) => !balance.isEnded);
    const known = open.find((live) => live.label === label);
    // One that was cancelled begins for no other label.
    if (known !== undefined || open.length === 0 || definition.terms.per === null) return known;
    if (open.length >= LABELS_MAX && label !== OTHER_LABEL) return this.#open(definition, OTHER_LABEL, now);
    return LiveBalance.begin(definition, label, now);
  }

  /** Keeps a balance that was begun. */
  adopt(live: LiveBalance): void {
    if (!this.#lives.includes(live)) this.#lives.push(live);
  }

  /** The balances that hold a reservation or lease. */
  holding(id: string): readonly LiveBalance[] {
    return this.#lives.filter(({ holds }) => holds.has(id));
  }

  /**
   * Cycles that have become final leave the row for a table, balances that are over leave it, and so do labels'
   * that nothing has happened to.
   */
  saveFinal(): void {
    for (const live of this.#lives) {
      for (const cycle of live.balance.takeClosed()) {
        this.#sql.exec(
          "INSERT INTO cycles (ended_at, balance_id, label, cycle, body) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
          cycle.end,
          live.key,
          live.label,
          cycle.index,
          toExactJson({ cycle, definition: live.definitionOf(cycle.index) }),
        );
        live.forgetCycle(cycle.index);
        live.touch();
      }
    }
    const isGone = ({ balance, label, isUntouched }: LiveBalance): boolean =>
      balance.state.is_final || (label !== "" && isUntouched);
    if (!this.#lives.some(isGone)) return;
    this.#lives = this.#lives.filter((live) => !isGone(live));
    this.forgetUnused();
  }

  /** Final cycles, latest first. */
  cycles({ balance_id, before, limit }: Pick<CyclesRequest, "balance_id" | "before" | "limit">): FinalCycle[] {
    const rows = this.#sql.exec<{ balance_id: string; label: string; body: string }>(
      "SELECT balance_id, label, body FROM cycles WHERE ended_at < ? ORDER BY ended_at DESC, balance_id, label, cycle",
      before,
    );
    const found: FinalCycle[] = [];
    for (const { label, body } of rows) {
      const { cycle, definition } = fromExactJson(body) as { cycle: unknown; definition: BalanceDefinition };
      if (balance_id !== null && definition.id !== balance_id) continue;
      found.push({ balance_id: definition.id, label, body: toExactJson(cycle), definition });
      if (found.length >= limit) break;
    }
    return found;
  }
}
