import type { WorkloadOptions } from "@tidemark/testing/workload";

/** What the load process is told to send: events that it draws itself, or requests as they are. */
export type LoadPlan = EventPlan | RequestPlan;

/** Events for `POST /v1/events`. */
export interface EventPlan {
  readonly workload: WorkloadOptions;
  /** Events in a request's body. */
  readonly batch: number;
  /** Bodies that are prepared; each is sent with new ids when its turn comes again. */
  readonly bodies: number;
  /** One event of each customer instead of events as they are drawn. */
  readonly oneOfEach?: boolean;
}

/** Requests that begin with an id; each is sent with a new one when its turn comes again. */
export interface RequestPlan {
  readonly path: string;
  readonly bodies: readonly string[];
}

/** How it is sent. */
export interface LoadOrder {
  readonly port: number;
  readonly authorization: string;
  readonly connections: number;
  /** How long to send; `null` to send every body once. */
  readonly durationMs: number | null;
  /** Sends these bodies only: positions, the second one exclusive. */
  readonly range?: readonly [number, number];
  /** What an answer contains that says yes; unless told, every answer does. */
  readonly yes?: string;
  /** Of the first pass over the bodies; each further pass takes the next. */
  readonly round: number;
}

export interface LoadResult {
  readonly requests: number;
  /** Answers that were neither 200 nor 202. */
  readonly refused: number;
  /** Answers that said yes. */
  readonly allowed: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export type LoadCommand = { readonly plan: LoadPlan } | { readonly order: LoadOrder };
