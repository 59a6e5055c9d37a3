import type { BalancesReply, MeterAddress, MeteredMetric, ThresholdCrossing, Unavailable } from "@tidemark/contract";
import type { Exact } from "@tidemark/core";
import { fromExactJson, toExactJson } from "@tidemark/core/exact-json";
import { EMPTY_ID_STATE, type IdState } from "../id-memory.ts";
import { BalanceWatch } from "./balance-watch.ts";
import { Crossings, type StoredCrossings } from "./crossings.ts";
import { DecisionLog, EMPTY_LOG, type LogState } from "./decision-log.ts";
import { type CountDecided, toCounted } from "./desk.ts";
import { endOf } from "./end-of.ts";
import { readFired, type StoredFired } from "./fired.ts";
import type { HoldMeta, LiveBalance, StoredLive } from "./live-balance.ts";
import { LiveBalances } from "./live-balances.ts";
import { Members } from "./members.ts";
import { type Metered, MeteredMetrics } from "./metered-metrics.ts";
import type { TallyBase, TallyMemory } from "./tally.ts";
import type { Crossing } from "./watch.ts";

/** What the head's row keeps of the quotas. */
interface QuotaState extends StoredCrossings {
  readonly balances: readonly StoredLive[];
  /** What was crossed of what no balance tells. */
  readonly fired?: StoredFired;
  readonly bases?: Readonly<Record<string, TallyBase>>;
  readonly log: LogState;
  readonly members: IdState;
}

/** What the head's row has of them. */
export interface LoadedQuotas {
  /** A `QuotaState` as JSON; `null` for a meter that only counts. */
  readonly text: string | null;
  readonly decisions: readonly string[];
  readonly decisionIds: Uint32Array;
  readonly members: Uint32Array;
}

export const NO_QUOTAS: LoadedQuotas = {
  text: null,
  decisions: [],
  decisionIds: new Uint32Array(),
  members: new Uint32Array(),
};

const EMPTY: QuotaState = { balances: [], crossings: [], log: EMPTY_LOG, members: EMPTY_ID_STATE };

/**
 * What a customer may use, and what was decided about it. Synchronous: every method runs within the
 * meter's transaction. Whoever asks for a balance gets it as it stands at that time.
 */
export class Quotas {
  readonly log: DecisionLog;
  readonly metrics: MeteredMetrics;
  readonly balances: LiveBalances;
  readonly members: Members;
  /** Counts decisions among the customer's days. */
  readonly count: CountDecided;
  /** What waits to be handed over. */
  readonly crossings: Crossings;
  /** What is kept of thresholds that no balance tells. */
  readonly tallied: TallyMemory;
  readonly #address: MeterAddress;

  constructor(sql: SqlStorage, address: MeterAddress, loaded: LoadedQuotas, count: CountDecided) {
    const state = loaded.text === null ? EMPTY : (fromExactJson(loaded.text) as QuotaState);
    this.#address = address;
    this.count = count;
    this.log = new DecisionLog(sql, state.log, loaded.decisions, loaded.decisionIds);
    this.members = new Members(sql, state.members, loaded.members);
    this.metrics = new MeteredMetrics(sql);
    this.balances = new LiveBalances(sql);
    if (loaded.text !== null) {
      this.metrics.load();
      this.balances.load(state.balances);
    }
    this.crossings = new Crossings(state);
    this.tallied = { fired: readFired(state.fired ?? {}), bases: new Map(Object.entries(state.bases ?? {})) };
  }

  /** Whether there is nothing to keep in the row. */
  get isEmpty(): boolean {
    const { balances, log, metrics, crossings } = this;
    return balances.all.length === 0 && log.isEmpty && log.tail.length === 0 && metrics.isEmpty && crossings.isEmpty;
  }

  /** What the head's row keeps. */
  toText(): string {
    const { log } = this;
    const { fired, bases } = this.tallied;
    const rest = toExactJson({
      ...this.crossings.toStored(),
      ...(fired.size === 0 ? {} : { fired: Object.fromEntries(fired) }),
      ...(bases.size === 0 ? {} : { bases: Object.fromEntries(bases) }),
      log: log.state,
      members: this.members.ids.state,
    });
    const balances = this.balances.all.map((live) => live.toText()).join(",");
    return `${rest.slice(0, -1)},"balances":[${balances}]}`;
  }

  get memberTail(): Uint32Array {
    return this.members.ids.tail;
  }

  /** The balances of a metric that go on, as they stand now. @param labelOf the label for a limit `per` label. */
  of(metricId: string, now: number, labelOf: (path: string) => string): readonly LiveBalance[] {
    const lives = this.balances.of(metricId, now, labelOf);
    for (const live of lives) this.advance(live, now);
    return lives;
  }

  /** Every balance, as it stands now. */
  all(now: number): readonly LiveBalance[] {
    for (const live of this.balances.all) this.advance(live, now);
    return this.balances.all;
  }

  /** Whether cycles have become final that are not in the table yet. */
  get hasNews(): boolean {
    return this.balances.all.some(({ balance }) => balance.hasNews);
  }

  /** The balances that hold a reservation or lease, as they stand now. */
  holding(id: string, now: number): readonly LiveBalance[] {
    for (const live of this.balances.holding(id)) this.advance(live, now);
    return this.balances.holding(id);
  }

  /**
   * Rolls missed cycles. Holds that ended by themselves are remembered as ended, what was used of them is counted
   * among the days, and thresholds look at what has happened meanwhile.
   */
  advance(live: LiveBalance, now: number): void {
    const { balance } = live;
    const cycle = balance.state.current.index;
    const metered = this.metrics.byId(live.definition.metric_id);
    const watch = metered === undefined ? undefined : this.watch(live, metered);
    balance.advance(now);
    const settled = balance.takeSettled();
    if (cycle !== balance.state.current.index) watch?.beginCycle();
    if (watch !== undefined) this.look(watch, now);
    live.touch();
    for (const { id, used, at } of settled) {
      const meta = live.holds.get(id);
      live.holds.delete(id);
      if (meta === undefined || metered === undefined || this.log.find(endOf(id)) !== undefined) continue;
      this.#logSettled(id, meta, metered, used, at);
    }
  }

  #logSettled(id: string, meta: HoldMeta, { metric }: Metered, used: Exact, at: number): void {
    const place = { labels: metric.group_by.map(() => ""), segments: 0 };
    const counted = used === 0 ? [] : [toCounted(metric, place, used, at)];
    if (used !== 0) this.count({ metric, ...place, value: used, id, at });
    const kind = meta.kind === "lease" ? "report" : used === 0 ? "release" : "commit";
    const extra = { settled: true, metric: metric.slug, holder: meta.holder };
    this.log.add({ id: endOf(id), kind, at, content: meta.sequence, counted, paid: [], answers: [], extra });
  }

  /** The event that something was reserved for has been counted: nothing of that is to be used any more. */
  markCounted(id: string | null, metricId: string): void {
    if (id === null) return;
    for (const live of this.balances.holding(id)) {
      const meta = live.holds.get(id);
      if (meta?.metric_id !== metricId) continue;
      live.touch();
      live.holds.set(id, { ...meta, is_counted: true });
      const hold = live.balance.state.holds.get(id);
      if (hold !== undefined) Object.assign(hold, { on_expiry: "release" });
    }
  }

  /** What to do about a metric when the meter cannot be reached: `open` only if every limit of it says so. */
  unavailableOf(slug: string): Unavailable {
    const id = this.metrics.bySlug(slug)?.metric.id;
    const limits = this.balances.all.filter(
      ({ definition, balance }) => definition.metric_id === id && !balance.isEnded,
    );
    return limits.length > 0 && limits.every(({ definition }) => definition.unavailable === "open") ? "open" : "closed";
  }

  /** One, in the metric's smallest unit. */
  unitOf({ definition }: LiveBalance): Exact {
    return 10 ** (this.metrics.byId(definition.metric_id)?.metric.decimal_places ?? 0);
  }

  /** What a value adds to a cycle: a distinct one counts once in each. */
  valueIn(live: LiveBalance, cycleStart: number, value: Exact): Exact {
    if (live.definition.terms.aggregation !== "unique") return value;
    return this.members.add(live, cycleStart, value) ? this.unitOf(live) : 0;
  }

  /** Watches a balance's thresholds from here on. */
  watch(live: LiveBalance, { thresholds, metric }: Metered): BalanceWatch {
    const own = thresholds.filter(({ segment }) => segment === null);
    return new BalanceWatch(live, { address: this.#address, metric, thresholds: own });
  }

  /** What a watched balance crossed, noted for the outbox. */
  crossed(watch: BalanceWatch, now: number): readonly ThresholdCrossing[] {
    return this.look(watch, now).map(({ id, threshold_id, name, operator, value }) => {
      return { id, threshold_id, name, operator, value };
    });
  }

  /** The same as it is handed over. */
  look(watch: BalanceWatch, now: number): readonly Crossing[] {
    this.crossings.lookNear(watch, now);
    return this.crossings.look(watch, now);
  }

  /** Learns how metrics are defined now, as of a catalog; those that it asked for and are not told of are gone. */
  learn(told: readonly MeteredMetric[], asked: readonly string[], catalogVersion: number): void {
    for (const each of told)
      if (this.metrics.byId(each.metric.id) !== undefined || each.thresholds.length > 0) this.metrics.learn(each);
    this.#forgetFired();
    const known = new Set(told.map(({ metric }) => metric.id));
    for (const id of asked) if (!known.has(id)) this.metrics.confirm(id, catalogVersion);
  }

  /** What was crossed of thresholds that are gone, or have changed, is of no use any more. */
  #forgetFired(): void {
    const known = new Set(
      this.metrics.withThresholds.flatMap(({ thresholds }) => thresholds.map(({ id, version }) => `${id}:${version}`)),
    );
    for (const key of this.tallied.fired.keys()) if (!known.has(key)) this.tallied.fired.delete(key);
  }

  /** What is kept in tables leaves the row; balances that were cancelled come to their end. */
  saveFinal(now: number): void {
    for (const live of this.balances.all) if (live.balance.isEnded) this.advance(live, now);
    this.balances.saveFinal();
  }

  describe(now: number): Pick<BalancesReply, "balances"> {
    const balances = this.all(now).flatMap((live) => {
      const metered = this.metrics.byId(live.definition.metric_id);
      return metered === undefined ? [] : [live.describe(metered.metric)];
    });
    return { balances };
  }

  /** Moves to rows of their own what is due, one at most if it may. @returns whether one was written. */
  settle(maySpill: boolean): boolean {
    const spilled = this.log.settle(maySpill);
    return this.members.ids.settle(maySpill && !spilled) || spilled;
  }

  get needsCompaction(): boolean {
    return this.log.needsCompaction || this.members.ids.needsCompaction;
  }

  /** Does a slice of what is due, and forgets what is older than `oldestDay`. @returns whether anything changed. */
  tidy(oldestDay: number): boolean {
    const compacts = this.needsCompaction;
    if (this.log.needsCompaction) this.log.compact();
    else if (this.members.ids.needsCompaction) this.members.ids.compact();
    const forgets = this.log.forgetBefore(oldestDay);
    return this.members.ids.forgetBefore(oldestDay) || forgets || compacts;
  }
}
