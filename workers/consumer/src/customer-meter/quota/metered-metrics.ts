import type { MeteredMetric } from "@tidemark/contract";
import { type CompiledMetric, compileMetric } from "@tidemark/core";
import { fromExactJson, toExactJson } from "@tidemark/core/exact-json";

/** A metric as the meter knows it, made ready. */
export interface Metered extends MeteredMetric {
  readonly compiled: CompiledMetric;
  /** Slugs that it has or had, as far as the meter was told. */
  readonly slugs: readonly string[];
}

type Stored = MeteredMetric & { readonly slugs: readonly string[] };

/** The metrics that a meter was told of, because something is limited or charged by them. */
export class MeteredMetrics {
  readonly #sql: SqlStorage;
  readonly #byId = new Map<string, Metered>();
  readonly #bySlug = new Map<string, Metered>();
  #withThresholds: readonly Metered[] = [];

  constructor(sql: SqlStorage) {
    this.#sql = sql;
  }

  /** Reads what was stored. */
  load(): void {
    for (const { body } of this.#sql.exec<{ body: string }>("SELECT body FROM metered"))
      this.#keep(fromExactJson(body) as Stored);
  }

  /** A metric by a slug that it has or had. */
  bySlug(slug: string): Metered | undefined {
    return this.#bySlug.get(slug);
  }

  byId(id: string): Metered | undefined {
    return this.#byId.get(id);
  }

  /** Those that thresholds look at. */
  get withThresholds(): readonly Metered[] {
    return this.#withThresholds;
  }

  get isEmpty(): boolean {
    return this.#byId.size === 0;
  }

  /**
   * Metrics whose thresholds the meter has to learn before it counts these: those that it is told are watched, and
   * those that it thinks are, as far as it does not know them from this catalog.
   */
  unlearned(watched: readonly string[], counted: ReadonlySet<string>, catalogVersion: number): readonly string[] {
    const known = this.#withThresholds.map(({ metric }) => metric.id).filter((id) => counted.has(id));
    const isOld = (id: string): boolean => (this.#byId.get(id)?.catalog_version ?? -1) < catalogVersion;
    return [...new Set([...watched, ...known])].filter(isOld);
  }

  /** Metrics of which the meter knows less than somebody who has seen this catalog, or no longer the version in force. */
  outdated(catalogVersion: number, now: number): readonly string[] {
    return Array.from(this.#byId.values())
      .filter(
        ({ catalog_version, metric }) => catalog_version < catalogVersion || (metric.counts_until ?? Infinity) <= now,
      )
      .map(({ metric }) => metric.id);
  }

  /** Learns how a metric is defined now; what is older than what it knows is ignored. */
  learn(told: MeteredMetric): void {
    const known = this.#byId.get(told.metric.id);
    if (known !== undefined && known.catalog_version > told.catalog_version) return;
    this.#store({ ...told, slugs: [...new Set([...(known?.slugs ?? []), told.metric.slug])] });
  }

  /** Notes that a metric is gone, as of a catalog: it stays what it was last. */
  confirm(id: string, catalogVersion: number): void {
    const known = this.#byId.get(id);
    if (known === undefined) return;
    const { metric, interval, slugs } = known;
    const catalog_version = Math.max(known.catalog_version, catalogVersion);
    this.#store({ metric: { ...metric, counts_until: null }, thresholds: [], interval, slugs, catalog_version });
  }

  #store(told: Stored): void {
    this.#sql.exec(
      "INSERT INTO metered (metric_id, body) VALUES (?, ?) ON CONFLICT DO UPDATE SET body = excluded.body",
      told.metric.id,
      toExactJson(told),
    );
    this.#keep(told);
  }

  #keep(told: Stored): void {
    const metered: Metered = { ...told, compiled: compileMetric(told.metric) };
    this.#byId.set(told.metric.id, metered);
    this.#withThresholds = Array.from(this.#byId.values()).filter(({ thresholds }) => thresholds.length > 0);
    for (const slug of told.slugs) {
      const holder = this.#bySlug.get(slug);
      // The metric that has a slug now goes before one that had it.
      const isElsewhere = holder !== undefined && holder.metric.id !== told.metric.id && holder.metric.slug === slug;
      if (!isElsewhere || slug === told.metric.slug) this.#bySlug.set(slug, metered);
    }
  }
}
