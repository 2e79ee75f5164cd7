import type { PortName } from "../script/script.ts";
import type { PortRecord } from "../world/port-record.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

interface Newest {
  snapshot: number;
  notice: number;
  events: number;
}

/**
 * There is one call at a time to a port, and in the ownership lane one tick at a time, unless a port was given up.
 * Nothing older is delivered after something newer, except items whose tries were used up. Acknowledged items are not
 * delivered again.
 */
export class PortOrder implements Invariant {
  readonly name = "port-order";
  readonly requirements = "R3.1 R3.3 R3.6";
  readonly #context: InvariantContext;
  readonly #newest = new Map<PortName, Newest>();
  readonly #pending = new Map<PortName, PortRecord>();
  readonly #acknowledged = new Set<string>();

  constructor(context: InvariantContext) {
    this.#context = context;
  }

  lifeBegan(): void {
    this.#newest.clear();
    this.#pending.clear();
    this.#acknowledged.clear();
  }

  callBegan(record: PortRecord): void {
    const { report } = this.#context;
    const { call, seqNo } = record;
    const name = `${call.port}.${call.method} ${seqNo}`;
    const own = this.#pending.get(call.port);
    if (own !== undefined && this.#isUnderWay(own))
      report(`${name} begins while ${own.call.method} ${own.seqNo} is in progress`);
    this.#checkLane(record, name);
    this.#checkOrder(record, name);
    const isRepeatable = call.method === "applyEvents" || call.method === "publishLeases";
    if (this.#acknowledged.has(name) && !isRepeatable)
      report(`${name} is delivered again although it was acknowledged`);
    this.#pending.set(call.port, record);
  }

  callEnded({ call, seqNo, outcome }: PortRecord): void {
    if (outcome === "done") this.#acknowledged.add(`${call.port}.${call.method} ${seqNo}`);
  }

  #isUnderWay(record: PortRecord): boolean {
    return record.outcome === "pending" && !this.#context.ports.isOverdue(record);
  }

  /** Placement may publish leases at any time; all other calls go to one port after the other. */
  #checkLane({ call, seqNo }: PortRecord, name: string): void {
    if (call.port === "remoting" || call.method === "publishLeases") return;
    const { report, ports } = this.#context;
    const other = call.port === "partition" ? "placement" : "partition";
    if (ports.isExcused(call.port) || ports.isExcused(other)) return;
    if (this.#wasGivenUp(call.port, call.method, seqNo)) return;
    const pending = this.#pending.get(other);
    if (pending !== undefined && this.#isUnderWay(pending) && pending.call.method !== "publishLeases")
      report(`${name} begins while ${other}.${pending.call.method} ${pending.seqNo} is in progress`);
    const { snapshot, notice } = this.#of(other);
    if (seqNo < Math.max(snapshot, notice))
      report(`${name} comes after ${other} is at ${Math.max(snapshot, notice)}`);
  }

  #checkOrder({ call, seqNo }: PortRecord, name: string): void {
    const { report, ports } = this.#context;
    const newest = this.#of(call.port);
    const isGivenUp = this.#wasGivenUp(call.port, call.method, seqNo);
    switch (call.method) {
      case "applySnapshot":
        if (seqNo < newest.snapshot) report(`${name} comes after ${newest.snapshot}`);
        if (seqNo < newest.notice && !isGivenUp && !ports.isExcused(call.port))
          report(`${name} comes after notice ${newest.notice}`);
        newest.snapshot = Math.max(newest.snapshot, seqNo);
        return;
      case "notify": {
        const last = Math.max(newest.notice, newest.snapshot, newest.events);
        if (seqNo < last && !isGivenUp) report(`${name} comes after ${last}`);
        newest.notice = Math.max(newest.notice, seqNo);
        return;
      }
      case "applyEvents": {
        // Events at a repeated notice have the number of a later one.
        if (seqNo < newest.events) report(`${name} comes after ${newest.events}`);
        newest.events = seqNo;
        return;
      }
      default:
    }
  }

  #wasGivenUp(port: PortName, method: string, seqNo: number): boolean {
    const { ports, world } = this.#context;
    return ports.failuresOf(port, method, seqNo) >= world.setting.callTries;
  }

  #of(port: PortName): Newest {
    const known = this.#newest.get(port) ?? { snapshot: 0, notice: 0, events: 0 };
    this.#newest.set(port, known);
    return known;
  }
}
