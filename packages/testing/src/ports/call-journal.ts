import type { LeaseTick, RemoteTopologyEvent, SnapshotTick, TopologyNotice } from "@holdfast/core";

export type PortName = "placement" | "partition" | "remoting";

/** One call of a port, with its argument. */
export type PortCall =
  | {
      readonly port: "placement" | "partition";
      readonly method: "applySnapshot";
      readonly tick: SnapshotTick;
    }
  | { readonly port: "partition"; readonly method: "publishLeases"; readonly leases: LeaseTick }
  | {
      readonly port: "remoting";
      readonly method: "applyEvents";
      readonly events: readonly RemoteTopologyEvent[];
    }
  | { readonly port: PortName; readonly method: "notify"; readonly notice: TopologyNotice };

export type RecordedCall = PortCall & { outcome: "pending" | "done" | "failed" };

/** Records the calls of one or more ports, in the order in which they began. */
export class CallJournal {
  readonly calls: RecordedCall[] = [];

  begin(call: PortCall): RecordedCall {
    const recorded: RecordedCall = { ...call, outcome: "pending" };
    this.calls.push(recorded);
    return recorded;
  }

  /** Returns one line for each call: `partition.applySnapshot 3`, followed by its outcome unless it is done. */
  lines(): readonly string[] {
    return this.calls.map((call) => {
      const line = `${call.port}.${call.method} ${describeSubject(call)}`;
      return call.outcome === "done" ? line : `${line} (${call.outcome})`;
    });
  }
}

function describeSubject(call: PortCall): string {
  switch (call.method) {
    case "applySnapshot":
      return String(call.tick.seqNo);
    case "publishLeases":
      return String(call.leases.seqNo);
    case "applyEvents":
      return call.events.map(({ seqNo, kind, node }) => `${seqNo} ${kind} ${node.id}`).join(", ");
    default: {
      const { notice } = call;
      const detail = notice.kind === "status_changed" ? ` ${notice.to}` : "";
      return `${notice.seqNo} ${notice.kind}${detail}`;
    }
  }
}
