import type { PortRecord } from "../world/port-record.ts";
import type { Invariant, InvariantContext } from "./invariant.ts";

type Lane = "ownership" | "remoting";

/**
 * One call at a time in a lane; nobody sees an older tick after a newer one, also not across the two ports of the ownership
 * lane; and what was acknowledged does not come again.
 */
export class PortOrder implements Invariant {
  readonly name = "port-order";
  readonly requirements = "R3.1 R3.3";
  readonly #context: InvariantContext;
  readonly #newest = new Map<Lane, number>();
  readonly #pending = new Map<Lane, PortRecord>();
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
    const lane = laneOf(record);
    const pending = this.#pending.get(lane);
    if (pending?.outcome === "pending") {
      report(
        `${call.port}.${call.method} ${seqNo} begins while ${pending.call.method} ${pending.seqNo} is under way`,
      );
    }
    const newest = this.#newest.get(lane) ?? 0;
    if (seqNo < newest) report(`${call.port}.${call.method} ${seqNo} comes after ${newest} in its lane`);
    if (this.#acknowledged.has(keyOf(record)) && call.method !== "applyEvents") {
      report(`${call.port}.${call.method} ${seqNo} comes again, though it was acknowledged`);
    }
    this.#newest.set(lane, Math.max(newest, seqNo));
    this.#pending.set(lane, record);
  }

  callEnded(record: PortRecord): void {
    if (record.outcome === "done") this.#acknowledged.add(keyOf(record));
  }
}

function laneOf({ call }: PortRecord): Lane {
  return call.port === "remoting" ? "remoting" : "ownership";
}

function keyOf({ call, seqNo }: PortRecord): string {
  return `${call.port}.${call.method} ${seqNo}`;
}
