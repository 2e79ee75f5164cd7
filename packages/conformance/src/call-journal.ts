import type {
  ClusterNode,
  Epoch,
  NodeId,
  ProviderId,
  ProviderSnapshot,
  SnapshotDelta,
  SnapshotHash,
  TopologyNotice,
  TopologyStatus,
} from "@holdfast/core";

/** A snapshot as Placement and Partition are handed it. */
export interface RecordedTick {
  readonly epoch: Epoch;
  readonly seqNo: number;
  readonly snapshot: ProviderSnapshot;
  readonly previousHash?: SnapshotHash | undefined;
  readonly delta: SnapshotDelta;
  readonly status: TopologyStatus;
}

/** What Placement gives out. */
export interface RecordedLease {
  readonly resource: string;
  readonly nodeId: NodeId;
  readonly expiresAt?: number | undefined;
}

/** The leases as Partition is handed them. */
export interface RecordedLeaseTick {
  readonly epoch: Epoch;
  readonly seqNo: number;
  readonly snapshotHash: SnapshotHash;
  readonly leases: readonly RecordedLease[];
}

/** A step of a node as Remoting is handed it. */
export interface RecordedRemoteEvent {
  readonly key: string;
  readonly kind: "join" | "leave" | "blocked" | "unblocked";
  readonly providerId: ProviderId;
  readonly node: ClusterNode;
  readonly epoch: Epoch;
  readonly seqNo: number;
  readonly snapshotHash: SnapshotHash;
  readonly at: number;
}

export type PortName = "placement" | "partition" | "remoting";

/** What a port was called with. */
export type PortCall =
  | {
      readonly port: "placement" | "partition";
      readonly method: "applySnapshot";
      readonly tick: RecordedTick;
    }
  | { readonly port: "partition"; readonly method: "publishLeases"; readonly leases: RecordedLeaseTick }
  | {
      readonly port: "remoting";
      readonly method: "applyEvents";
      readonly events: readonly RecordedRemoteEvent[];
    }
  | { readonly port: PortName; readonly method: "notify"; readonly notice: TopologyNotice };

export type RecordedCall = PortCall & { outcome: "pending" | "done" | "failed" };

/** The calls of several ports in the one order in which they began. */
export class CallJournal {
  readonly calls: RecordedCall[] = [];

  begin(call: PortCall): RecordedCall {
    const recorded: RecordedCall = { ...call, outcome: "pending" };
    this.calls.push(recorded);
    return recorded;
  }

  /** One line a call: `partition.applySnapshot 3`, followed by its outcome unless it is done. */
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
