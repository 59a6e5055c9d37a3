import type { LeaseAnswer, LeaseRequest } from "../src/lease-book.ts";

/** What the simulation drives: real rules can stand in for the model. */
export interface LeaseMeter {
  /** @returns `undefined` when the lease is not known. */
  answer(request: LeaseRequest, now: number): LeaseAnswer | undefined;
  /** When a lease ends by the meter's clock. */
  endsAt(id: string): number;
}

export interface ModelMeterOptions {
  readonly limit: number;
  readonly ttlMs: number;
  /** Whether a repeated request gets the first answer to the letter, with a lifetime that is no longer true. */
  readonly repeatsLifetime: boolean;
  /** Whether a report can still renew a lease that has expired; if not, it leaves the lease as it is. */
  readonly renewsExpired: boolean;
}

/** A meter of one limit, as short as the rules allow: units are debited when they are granted. */
export class ModelMeter implements LeaseMeter {
  readonly #options: ModelMeterOptions;
  readonly #leases = new Map<string, ModelLease>();
  /** Units that holders have reported as used. */
  burned = 0;

  constructor(options: ModelMeterOptions) {
    this.#options = options;
  }

  answer(request: LeaseRequest, now: number): LeaseAnswer | undefined {
    const lease = this.#leases.get(request.id);
    if (request.kind === "grant") return lease === undefined ? this.#grant(request, now) : this.#repeat(lease, 0, now);
    if (lease === undefined) return undefined;
    if (request.sequence < lease.sequence) return this.#repeat(lease, request.sequence, now);
    if (request.sequence > lease.sequence) throw new Error("A sequence that the meter has never given.");
    return this.#report(lease, request, now);
  }

  endsAt(id: string): number {
    return this.#leases.get(id)?.expiresAt ?? -Infinity;
  }

  /** Units that are neither used nor held. */
  get remaining(): number {
    return this.#options.limit - this.burned - this.held;
  }

  /** Units that holders have and have not reported. */
  get held(): number {
    return [...this.#leases.values()].reduce((sum, lease) => sum + lease.held, 0);
  }

  #grant({ id, want }: { readonly id: string; readonly want: number }, now: number): LeaseAnswer {
    const held = Math.min(want, this.remaining);
    const lease = { id, held, sequence: 1, expiresAt: now + this.#options.ttlMs, answers: new Map() };
    this.#leases.set(id, lease);
    return this.#store(lease, 0, now);
  }

  #report(lease: ModelLease, { used, want, sequence }: Report, now: number): LeaseAnswer {
    if (used > lease.held) throw new Error(`A holder of ${lease.held} units reports ${used}.`);
    this.burned += used;
    lease.held -= used;
    lease.sequence += 1;
    if (want === null) {
      lease.held = 0;
    } else if (now < lease.expiresAt || this.#options.renewsExpired) {
      lease.held += Math.min(Math.max(0, want - lease.held), this.remaining);
      lease.expiresAt = now + this.#options.ttlMs;
    }
    // A report that wants more may arrive late, and its holder has gone on admitting meanwhile: what was left
    // stays held even after the lease has expired.
    return this.#store(lease, sequence, now);
  }

  #store(lease: ModelLease, sequence: number, now: number): LeaseAnswer {
    const answer: LeaseAnswer = {
      id: lease.id,
      granted: lease.held,
      sequence: lease.sequence,
      ttlMs: Math.max(0, lease.expiresAt - now),
      remaining: this.remaining,
    };
    lease.answers.set(sequence, { answer, expiresAt: lease.expiresAt });
    return answer;
  }

  #repeat(lease: ModelLease, sequence: number, now: number): LeaseAnswer | undefined {
    const stored = lease.answers.get(sequence);
    if (stored === undefined || this.#options.repeatsLifetime) return stored?.answer;
    return { ...stored.answer, ttlMs: Math.max(0, stored.expiresAt - now) };
  }
}

type Report = Extract<LeaseRequest, { kind: "report" }>;

interface ModelLease {
  readonly id: string;
  held: number;
  sequence: number;
  expiresAt: number;
  /** By the sequence that asked; 0 is the grant. */
  readonly answers: Map<number, { readonly answer: LeaseAnswer; readonly expiresAt: number }>;
}
