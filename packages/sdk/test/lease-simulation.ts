import { LeaseBook, type LeaseRequest } from "../src/lease-book.ts";
import type { LeaseMeter } from "./model-meter.ts";

export interface SimulationOptions {
  readonly meter: LeaseMeter;
  readonly random: () => number;
  readonly holders: number;
  /** Simulated time; the faults end at three quarters of it. */
  readonly durationMs: number;
  /** Units that each holder tries to admit in a second, on average, and how many at once. */
  readonly unitsPerSecond: number;
  readonly unitsAtOnce: number;
  /** Milliseconds that a message takes, at least and at most. */
  readonly delayMs: readonly [number, number];
  /** The chance that a message is lost, that a holder crashes within a second, and that it is cut off. */
  readonly lossChance: number;
  readonly crashChance: number;
  readonly partitionChance: number;
}

export interface SimulationResult {
  /** Units that all holders have admitted, those that crashed included. */
  readonly admitted: number;
  readonly calls: number;
  readonly crashes: number;
  readonly losses: number;
  /** Units that a holder has admitted although its lease had ended by the meter's clock. */
  readonly late: number;
}

interface Holder {
  readonly book: LeaseBook;
  leaseId: string;
  /** How far its clock is ahead of the meter's. */
  readonly skewMs: number;
  isAlive: boolean;
  cutOffUntil: number;
  wakeAt: number;
}

const REQUEST_MS_MAX = 3_000;

/** Eight busy holders for a minute, with bad luck of every kind: how much of each, chance decides. */
export function unluckySchedule(random: () => number): Omit<SimulationOptions, "meter"> {
  return {
    random,
    holders: 8,
    durationMs: 60_000,
    unitsPerSecond: 10_000,
    unitsAtOnce: 3_000,
    delayMs: [1, 20 + random() * random() * 2_000],
    lossChance: random() * 0.2,
    crashChance: random() * 0.03,
    partitionChance: random() * 0.1,
  };
}

/** Plays holders against a meter in simulated time. The same seed plays the same. */
export function simulateLeases(options: SimulationOptions): SimulationResult {
  return new Simulation(options).run();
}

class Simulation {
  readonly #options: SimulationOptions;
  readonly #agenda = new Agenda();
  #now = 0;
  #lastId = 0;
  #admitted = 0;
  #late = 0;
  #calls = 0;
  #crashes = 0;
  #losses = 0;

  constructor(options: SimulationOptions) {
    this.#options = options;
  }

  run(): SimulationResult {
    const { holders, durationMs } = this.#options;
    for (let index = 0; index < holders; index++) this.#start();
    for (;;) {
      const entry = this.#agenda.take();
      if (entry === undefined || entry.at > durationMs) break;
      this.#now = entry.at;
      entry.act();
    }
    return {
      admitted: this.#admitted,
      calls: this.#calls,
      crashes: this.#crashes,
      losses: this.#losses,
      late: this.#late,
    };
  }

  #start(): void {
    const { random } = this.#options;
    const book = new LeaseBook({
      want: 100,
      requestMsMax: REQUEST_MS_MAX,
      newId: () => `lease-${++this.#lastId}`,
      random,
    });
    const holder: Holder = {
      book,
      leaseId: "",
      skewMs: random() * 1e9,
      isAlive: true,
      cutOffUntil: 0,
      wakeAt: Infinity,
    };
    this.#pump(holder);
    this.#after(random() * 1_000, () => this.#admit(holder));
    this.#after(1_000, () => this.#misfortune(holder));
  }

  #admit(holder: Holder): void {
    if (!holder.isAlive) return;
    const { random, unitsAtOnce, unitsPerSecond } = this.#options;
    const units = 1 + Math.floor(random() * (2 * unitsAtOnce - 1));
    if (holder.book.take(units, this.#timeOf(holder))) {
      this.#admitted += units;
      if (this.#now > this.#options.meter.endsAt(holder.leaseId)) this.#late += units;
    }
    this.#pump(holder);
    this.#after((units / unitsPerSecond) * 1_000, () => this.#admit(holder));
  }

  /** Once a second: a crash, after which another holder takes the place, or a cut cable. */
  #misfortune(holder: Holder): void {
    const { random, crashChance, partitionChance, durationMs } = this.#options;
    if (this.#now > durationMs * 0.75) return;
    if (random() < crashChance) {
      holder.isAlive = false;
      this.#crashes += 1;
      this.#start();
      return;
    }
    if (random() < partitionChance) holder.cutOffUntil = this.#now + random() * 15_000;
    this.#after(1_000, () => this.#misfortune(holder));
  }

  #pump(holder: Holder): void {
    const action = holder.book.next(this.#timeOf(holder));
    if (action.kind === "send") this.#send(holder, action.request);
    else if (action.kind === "wait") this.#wake(holder, action.until - holder.skewMs);
  }

  #wake(holder: Holder, at: number): void {
    if (holder.wakeAt <= at && holder.wakeAt > this.#now) return;
    // The difference of two large times may round to just before the one that was meant.
    holder.wakeAt = at + 0.001;
    this.#agenda.add(holder.wakeAt, () => {
      if (holder.isAlive) this.#pump(holder);
    });
  }

  #send(holder: Holder, request: LeaseRequest): void {
    this.#calls += 1;
    holder.leaseId = request.id;
    const sentAt = this.#now;
    const lose = (): void => {
      this.#losses += 1;
      this.#agenda.add(sentAt + REQUEST_MS_MAX / 2, () => this.#settle(holder, () => this.#lost(holder, request)));
    };
    this.#transmit(holder, lose, () => {
      const answer = this.#options.meter.answer(request, this.#now);
      this.#transmit(holder, lose, () =>
        this.#settle(holder, () => {
          const at = this.#timeOf(holder);
          if (answer === undefined) holder.book.refused(request, at);
          else holder.book.answered(request, answer, at);
        }),
      );
    });
  }

  #lost(holder: Holder, request: LeaseRequest): void {
    holder.book.lost(request, this.#timeOf(holder));
  }

  #settle(holder: Holder, settle: () => void): void {
    if (!holder.isAlive) return;
    settle();
    this.#pump(holder);
  }

  #transmit(holder: Holder, lose: () => void, arrive: () => void): void {
    const { random, lossChance, delayMs, durationMs } = this.#options;
    const [least, most] = delayMs;
    const isFaulty = this.#now <= durationMs * 0.75;
    if (isFaulty && (this.#now < holder.cutOffUntil || random() < lossChance)) lose();
    else this.#after(least + random() * (most - least), arrive);
  }

  #timeOf(holder: Holder): number {
    return this.#now + holder.skewMs;
  }

  #after(ms: number, act: () => void): void {
    this.#agenda.add(this.#now + ms, act);
  }
}

interface Entry {
  readonly at: number;
  readonly act: () => void;
}

/** What is to happen, as a binary heap. */
class Agenda {
  readonly #heap: Entry[] = [];

  add(at: number, act: () => void): void {
    const heap = this.#heap;
    const entry = { at, act };
    let index = heap.push(entry) - 1;
    while (index > 0) {
      const parentIndex = (index - 1) >> 1;
      const parent = heap[parentIndex];
      if (parent === undefined || parent.at <= at) break;
      heap[index] = parent;
      index = parentIndex;
    }
    heap[index] = entry;
  }

  take(): Entry | undefined {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      const childIndex = this.#earlierChild(index);
      const child = heap[childIndex];
      if (child === undefined || child.at >= last.at) break;
      heap[index] = child;
      index = childIndex;
    }
    heap[index] = last;
    return first;
  }

  #earlierChild(index: number): number {
    const left = 2 * index + 1;
    const right = left + 1;
    return (this.#heap[right]?.at ?? Infinity) < (this.#heap[left]?.at ?? Infinity) ? right : left;
  }
}
