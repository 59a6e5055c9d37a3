import type { BalanceDefinition, GrantNote, StoredBalance, StoredHold, Threshold } from "@tidemark/contract";
import type { Metric } from "@tidemark/core";
import { Balance } from "@tidemark/core/balance";
import { carriedOf, limitOf } from "@tidemark/core/balance-cycle";
import { balanceFromStored, balanceToText, type StoredBalanceState } from "@tidemark/core/balance-text";
import { addExact, type Exact } from "@tidemark/core/exact";
import { toExactJson } from "@tidemark/core/exact-json";
import { goesOn, type Terms } from "@tidemark/core/terms";
import { type Fired, readFired, type StoredFired } from "./fired.ts";
import type { Watched } from "./watch.ts";

/** What the holder of a reservation or lease is known by, and was told. */
export interface HoldMeta {
  readonly kind: "reservation" | "lease";
  readonly metric_id: string;
  readonly holder: string | null;
  /** Of a lease: counts its grants. */
  readonly sequence: number;
  readonly expires_at: number;
  /** Of a lease: how long a grant lives, and what becomes of it if nobody reports. */
  readonly ttl_ms: number;
  readonly return_after_ms: number | null;
  /** Of a lease: the report before, by its sequence or its key, and its answer, for when it is sent again. */
  readonly reported: { readonly sequence: number; readonly key: string | null; readonly answer: string } | null;
  /** The event that this was reserved for has been counted: nothing more is to be. */
  readonly is_counted?: true;
}

/** Grants that are remembered, so that the same one changes nothing when it comes again. */
const GRANTS_MAX = 100;

/** A balance as the head's row has it. */
export interface StoredLive {
  readonly id: string;
  readonly key: string;
  readonly label: string;
  readonly created_at: number;
  readonly fired: StoredFired;
  readonly holds: readonly (readonly [string, HoldMeta])[];
  readonly grants: readonly GrantNote[];
  readonly earlier: readonly (readonly [cycle: number, definition: BalanceDefinition])[];
  readonly state: StoredBalanceState;
}

/** A balance in use: its definition, where it stands, and who holds what of it. */
export class LiveBalance implements Watched {
  /** Names it through all changes of its definition. */
  readonly key: string;
  readonly label: string;
  readonly balance: Balance;
  readonly createdAt: number;
  readonly #fired: Map<string, Fired>;
  readonly holds: Map<string, HoldMeta>;
  #definition: BalanceDefinition;
  #grants: readonly GrantNote[];
  /** What unfinished cycles were run under that the definition is not of any more, by their index. */
  readonly #earlier: Map<number, BalanceDefinition>;
  #text: string | undefined;

  private constructor(definition: BalanceDefinition, stored: Omit<StoredLive, "id" | "state">, balance: Balance) {
    this.#definition = definition;
    this.key = stored.key;
    this.label = stored.label;
    this.createdAt = stored.created_at;
    this.#fired = readFired(stored.fired);
    this.holds = new Map(stored.holds);
    this.#grants = stored.grants;
    this.#earlier = new Map(stored.earlier);
    this.balance = balance;
  }

  static begin(definition: BalanceDefinition, label: string, now: number): LiveBalance {
    const nothing = { fired: {}, holds: [], grants: [], earlier: [] };
    const stored = { key: definition.id, label, created_at: now, ...nothing };
    return new LiveBalance(definition, stored, Balance.begin(definition.terms, now));
  }

  static load(stored: StoredLive, definitions: ReadonlyMap<string, BalanceDefinition>): LiveBalance {
    const definition = definitions.get(stored.id);
    if (definition === undefined) throw new Error("A balance has no definition.");
    return new LiveBalance(definition, stored, new Balance(balanceFromStored(stored.state)));
  }

  /** As it is stored; kept until the next `touch`, because a meter writes all its balances with every call. */
  toText(): string {
    this.#text ??= this.#write();
    return this.#text;
  }

  #write(): string {
    const rest = toExactJson({
      id: this.#definition.id,
      key: this.key,
      label: this.label,
      created_at: this.createdAt,
      fired: Object.fromEntries(this.#fired),
      holds: [...this.holds],
      grants: this.#grants,
      earlier: [...this.#earlier],
    } satisfies Omit<StoredLive, "state">);
    return `${rest.slice(0, -1)},"state":${balanceToText(this.balance.state)}}`;
  }

  /** Something is about to change. */
  touch(): void {
    this.#text = undefined;
  }

  /** Before something is measured, nothing is there that could be on a side of a line. */
  get used(): Exact | null {
    const { current, terms } = this.balance.state;
    return current.is_used || !isMeasure(terms) ? current.used : null;
  }

  /** What of the current cycle was used before it began. */
  get usedBefore(): Exact | null {
    const { current, terms } = this.balance.state;
    return isMeasure(terms) && !goesOn(terms) ? null : current.used_before;
  }

  get cycle(): { readonly start: number; readonly end: number } {
    return this.balance.state.current;
  }

  get fired(): ReadonlyMap<string, Fired> {
    return this.#fired;
  }

  note(key: string, fired: Fired): void {
    this.touch();
    this.#fired.set(key, fired);
  }

  /** What was crossed in cycles that are over can be crossed again. */
  forgetFired(): void {
    this.touch();
    this.#fired.clear();
  }

  /** A line in per cent is another one for each balance; one in units is the metric's. */
  namesFor({ line }: Threshold): readonly string[] {
    return [...(this.label === "" ? [] : [this.label]), ...("units" in line ? [] : [this.key])];
  }

  get definition(): BalanceDefinition {
    return this.#definition;
  }

  /** Puts another definition in force. Cycles that have ended, or end with it, keep the one that they were run under. */
  redefine(definition: BalanceDefinition, mode: "keep" | "restart" | "prorate", now: number): void {
    const { current, previous } = this.balance.state;
    this.touch();
    const ended = [previous, mode === "restart" ? current : null];
    for (const cycle of ended)
      if (cycle !== null && !this.#earlier.has(cycle.index)) this.#earlier.set(cycle.index, this.#definition);
    this.#definition = definition;
    this.balance.change(definition.terms, mode, now);
  }

  /** The definition that a cycle is, or was, run under. */
  definitionOf(cycle: number): BalanceDefinition {
    return this.#earlier.get(cycle) ?? this.#definition;
  }

  /** A cycle is final, and its definition kept with it. */
  forgetCycle(cycle: number): void {
    this.#earlier.delete(cycle);
  }

  /** The latest grants, newest first. */
  get grants(): readonly GrantNote[] {
    return this.#grants;
  }

  /** Notes a grant. */
  noteGrant(grant: GrantNote): void {
    this.touch();
    this.#grants = [grant, ...this.#grants].slice(0, GRANTS_MAX);
  }

  /** What a threshold in per cent is measured against. */
  get allowance(): Exact | null {
    const { current } = this.balance.state;
    const limit = limitOf(current);
    return limit === null ? null : addExact(limit, carriedOf(current));
  }

  /** Whether nothing has happened to it: one for a label can go, and come back with the label. */
  get isUntouched(): boolean {
    const { current, previous, ahead } = this.balance.state;
    const isFresh = !current.is_used && previous === null && ahead === null && this.holds.size === 0;
    return isFresh && this.#grants.length === 0 && current.buckets.every(({ kind }) => kind === "base");
  }

  /** For people, and for what is shown of it. */
  describe(metric: Pick<Metric, "id" | "slug" | "decimal_places" | "aggregation">): StoredBalance {
    const { id, slug, decimal_places, aggregation } = metric;
    const { state } = this.balance;
    return {
      definition: this.#definition,
      previous_definition: state.previous === null ? null : this.definitionOf(state.previous.index),
      metric: { id, slug, decimal_places, aggregation },
      label: this.label,
      created_at: this.createdAt,
      ended_at: state.ended_at,
      view: this.balance.view(),
      state: balanceToText(state),
      grants: this.#grants,
      holds: Array.from(this.holds, ([holdId, { kind, holder, expires_at }]): StoredHold => ({
        id: holdId,
        kind,
        holder,
        units: state.holds.get(holdId)?.units ?? 0,
        expires_at,
      })),
    };
  }
}

/** Whether what is used is what was measured, and not a sum. */
function isMeasure({ aggregation }: Pick<Terms, "aggregation">): boolean {
  return aggregation === "max" || aggregation === "min" || aggregation === "latest";
}
