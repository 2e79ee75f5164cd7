import { createClusterNode } from "../src/model/cluster-node.ts";
import { createSnapshot } from "../src/model/provider-snapshot.ts";
import { MemberSet } from "../src/model/member-set.ts";
import type { TopologyEvent } from "../src/contracts/log/topology-event.ts";
import type { TopologyState } from "../src/contracts/log/topology-state.ts";
import type { TopologyLog } from "../src/contracts/log/topology-reader.ts";

/** A log that a test writes. It keeps the newest `kept` events. */
export class WrittenLog implements TopologyLog {
  readonly listeners: Set<(event: TopologyEvent) => unknown> = new Set();
  readonly #kept: number;
  #events: TopologyEvent[] = [];
  state: TopologyState = {
    epoch: "e1",
    seqNo: 0,
    status: "starting",
    statusReason: "no snapshot has arrived yet",
    snapshotSeqNo: 0,
    restoringNodes: [],
    isStale: false,
    holds: [],
  };

  constructor(kept: number = 100) {
    this.#kept = kept;
  }

  onEvent(listener: (event: TopologyEvent) => unknown): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  eventsSince(epoch: string, seqNo: number): readonly TopologyEvent[] | undefined {
    const oldest = this.#events[0]?.seqNo ?? this.state.seqNo + 1;
    if (epoch !== this.state.epoch || seqNo + 1 < oldest) return undefined;
    return this.#events.filter((event) => event.seqNo > seqNo);
  }

  /** Appends a change of the status. */
  turn(status: TopologyState["status"]): void {
    const from = this.state.status;
    const seqNo = this.state.seqNo + 1;
    this.state = { ...this.state, status, seqNo };
    this.#append({
      kind: "status_changed",
      from,
      to: status,
      isStale: false,
      reason: "a test",
      epoch: "e1",
      seqNo,
      at: 0,
    });
  }

  /** Appends a snapshot with these members and turns the topology `ready` without an event. */
  publish(...ids: readonly string[]): void {
    const members = MemberSet.from(ids.map((id) => createClusterNode({ id, host: "host.test", port: 1 })));
    const snapshot = createSnapshot({ providerId: "p", members, observedAt: 0 });
    const seqNo = this.state.seqNo + 1;
    this.state = { ...this.state, snapshot, snapshotSeqNo: seqNo, seqNo, status: "ready" };
    const delta = { added: [], updated: [], removed: [], blocked: [], unblocked: [] };
    this.#append({ kind: "snapshot", snapshot, delta, epoch: "e1", seqNo, at: 0 });
  }

  #append(event: TopologyEvent): void {
    this.#events = [...this.#events, event].slice(-this.#kept);
    for (const listener of this.listeners) listener(event);
  }
}
