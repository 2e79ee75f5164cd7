import {
  createClusterNode,
  createSnapshot,
  diffSnapshots,
  MemberSet,
  type Clock,
  type ClusterNode,
  type ProviderTermination,
  type SnapshotParts,
  type SwitchReason,
  type TopologyEvent,
  type TopologySource,
  type TopologyState,
} from "@holdfast/core";

type Draft = TopologyEvent extends infer E
  ? E extends TopologyEvent
    ? Omit<E, "epoch" | "seqNo" | "at">
    : never
  : never;

/** A log that a test writes by hand. */
export class ScriptedSource implements TopologySource {
  state: TopologyState = {
    epoch: "epoch-1",
    seqNo: 0,
    status: "starting",
    statusReason: "scripted",
    snapshotSeqNo: 0,
    restoringNodes: [],
    isStale: false,
  };
  readonly listeners: Set<(event: TopologyEvent) => unknown> = new Set();
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  onEvent(listener: (event: TopologyEvent) => unknown): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** What a provider saw `latencyMs` ago. */
  snapshot(latencyMs: number, parts: Omit<SnapshotParts, "observedAt">): void {
    this.#take({ ...parts, observedAt: this.#clock.now() - latencyMs });
  }

  /** The newest snapshot again, with other nodes blocked. */
  block(...blockedNodes: readonly string[]): void {
    const { snapshot } = this.state;
    if (snapshot !== undefined) this.#take({ ...snapshot, blockedNodes });
  }

  switchProvider(from: string, to: string, reason: SwitchReason): void {
    this.#append({ kind: "provider_changed", from, to, reason });
  }

  terminate(providerId: string, reason: ProviderTermination): void {
    this.#append({ kind: "stream_terminated", providerId, reason });
  }

  set(changes: Partial<TopologyState>): void {
    this.state = { ...this.state, ...changes };
  }

  #take(parts: SnapshotParts): void {
    const previous = this.state.snapshot;
    const snapshot = createSnapshot(parts);
    const delta = diffSnapshots(previous ?? { members: MemberSet.empty, blockedNodes: [] }, snapshot);
    this.set({ snapshot, snapshotSeqNo: this.state.seqNo + 1 });
    this.#append({ kind: "snapshot", snapshot, previousHash: previous?.hash, delta });
  }

  #append(draft: Draft): void {
    const seqNo = this.state.seqNo + 1;
    this.set({ seqNo });
    const event: TopologyEvent = { ...draft, epoch: this.state.epoch, seqNo, at: this.#clock.now() };
    for (const listener of this.listeners) listener(event);
  }
}

export function membersOf(...ids: readonly string[]): MemberSet {
  return MemberSet.from(ids.map((id): ClusterNode => createClusterNode({ id, host: "h", port: 1 })));
}
