import type { EventFault } from "@tidemark/contract/event-check";

/** An item of a body that could not even be read as an event of its format. */
export class FaultyItem {
  readonly fault: EventFault;

  constructor(fault: EventFault) {
    this.fault = fault;
  }
}
