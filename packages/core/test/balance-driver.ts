import { balanceFromText, balanceToText } from "../src/balance-text.ts";
import { Balance } from "../src/balance.ts";
import { addExact, type Exact } from "../src/exact.ts";
import type { Terms } from "../src/terms.ts";
import type { Command, HistoryTerms, Standing } from "./balance-history.ts";

/** Does a history's commands to a balance. */
export class BalanceDriver {
  balance: Balance;

  constructor(terms: HistoryTerms, now: number) {
    this.balance = Balance.begin(toTerms(terms), now);
    this.balance.advance(now);
  }

  /** Does what a command says, if that can be done. @returns what came of it. */
  run(command: Command): string {
    this.balance.advance(command.at);
    const outcome = this.#do(command);
    this.balance.advance(command.at);
    return outcome;
  }

  /** Forgets everything but what is stored. */
  reload(): void {
    this.balance = new Balance(balanceFromText(balanceToText(this.balance.state)));
  }

  standing(): Standing {
    const view = this.balance.view();
    const tally = this.balance.tally();
    return {
      used: BigInt(view.used),
      limit: view.limit === null ? null : BigInt(view.limit),
      remaining: view.remaining === null ? null : BigInt(view.remaining),
      reserved: BigInt(view.reserved),
      overage: BigInt(view.overage),
      granted: BigInt(tally.granted),
      burned: BigInt(tally.burned),
      expired: BigInt(tally.expired),
      forfeited: BigInt(tally.forfeited),
      repaid: BigInt(tally.repaid),
      held: BigInt(tally.held),
    };
  }

  #do(command: Command): string {
    const { balance } = this;
    const { holds, current } = balance.state;
    switch (command.kind) {
      case "look":
        return "";
      case "consume":
        if (!balance.admits(narrow(command.units))) return "denied";
        balance.consume(narrow(command.units), command.at, 0);
        return "admitted";
      case "fact":
        return balance.fact(() => narrow(command.units), command.instant, 0);
      case "hold":
        if (holds.has(command.id) || !balance.admits(narrow(command.units))) return "denied";
        balance.hold(command.id, narrow(command.units), command);
        return "admitted";
      case "extend": {
        const hold = holds.get(command.id);
        if (hold?.cycle !== current.index || !balance.admits(narrow(command.units))) return "denied";
        balance.addToHold(hold, narrow(command.units));
        return "admitted";
      }
      case "commit": {
        const hold = holds.get(command.id);
        if (hold === undefined) return "unknown";
        const units = command.units < hold.units ? narrow(command.units) : hold.units;
        balance.useHeld(hold, units, 0);
        return `committed ${units}`;
      }
      case "release":
        if (!holds.has(command.id)) return "unknown";
        balance.endHold(command.id);
        return "released";
      case "grant":
        if (balance.isEnded) return "denied";
        balance.grant({
          id: command.id,
          kind: "top_up",
          expires_at: command.expires_at,
          reason: "test",
          units: narrow(command.units),
        });
        return "granted";
      case "deduct":
        return !balance.isEnded && balance.deduct(narrow(command.units)) ? "deducted" : "denied";
      case "change":
        if (balance.isEnded) return "denied";
        balance.change({ ...balance.terms, base: narrowBase(command.base) }, command.mode, command.at);
        return "changed";
      case "end":
        if (balance.isEnded) return "denied";
        balance.end(command.at);
        return "ended";
    }
  }
}

function toTerms({ base, carryover, interval, anchor, ...terms }: HistoryTerms): Terms {
  const cap = carryover?.cap ?? null;
  return {
    ...terms,
    base: narrowBase(base),
    carryover: carryover && {
      ...carryover,
      cap: cap !== null && "units" in cap ? { units: narrow(cap.units) } : cap,
    },
    aggregation: "sum",
    accumulates: false,
    starts_from: "empty",
    schedule: { interval, anchor, time_zone: "UTC" },
    by_segment: false,
    per: null,
  };
}

function narrow(units: bigint): Exact {
  return addExact(units, 0);
}

function narrowBase(base: bigint | null): Exact | null {
  return base === null ? null : narrow(base);
}
