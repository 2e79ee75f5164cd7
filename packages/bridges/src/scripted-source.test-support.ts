import {
  createClusterNode,
  createSnapshot,
  diffSnapshots,
  MemberSet,
  type Clock,
  type ClusterNode,
  type NodeBlocks,
  type NodeId,
  type TopologyEvent,
  type TopologySource,
  type TopologyState,
  type TopologyStatus,
} from "@holdfast/core";

type Draft = TopologyEvent extends infer E
  ? E extends TopologyEvent
    ? Omit<E, "epoch" | "seqNo" | "at">
    : never
  : never;

/** A log that a test writes by hand: it makes no decisions, and changes its state before it tells anybody. */
export class ScriptedSource implements TopologySource, NodeBlocks {
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

  /** A new snapshot; the members' nodes are kept as objects where they are the same. */
  snapshot(members: MemberSet | readonly ClusterNode[], providerId = "primary"): TopologyEvent {
    const before = this.state.snapshot;
    const set =
      members instanceof MemberSet ? members : (before?.members ?? MemberSet.empty).replace(members);
    return this.#take(set, providerId, before?.blockedNodes.filter((id) => set.has(id)) ?? []);
  }

  block(nodeId: NodeId): boolean {
    const { snapshot } = this.state;
    if (snapshot === undefined || snapshot.blockedNodes.includes(nodeId)) return false;
    this.#take(snapshot.members, snapshot.providerId, [...snapshot.blockedNodes, nodeId]);
    return true;
  }

  /** Marks the node as being restored; `refresh` lifts the block. */
  restore(nodeId: NodeId): boolean {
    this.state = { ...this.state, restoringNodes: [nodeId] };
    return true;
  }

  refresh(): void {
    const { snapshot, restoringNodes } = this.state;
    if (snapshot === undefined) return;
    this.state = { ...this.state, restoringNodes: [] };
    const blocked = snapshot.blockedNodes.filter((id) => !restoringNodes.includes(id));
    this.#take(snapshot.members, snapshot.providerId, blocked);
  }

  status(to: TopologyStatus): TopologyEvent {
    const from = this.state.status;
    this.state = { ...this.state, status: to, statusReason: `scripted ${to}` };
    return this.#append({
      kind: "status_changed",
      from,
      to,
      reason: `scripted ${to}`,
      snapshotHash: this.state.snapshot?.hash,
    });
  }

  providerChanged(from: string, to: string): TopologyEvent {
    const snapshotHash = this.state.snapshot?.hash;
    return this.#append({ kind: "provider_changed", from, to, reason: "stream_ended", snapshotHash });
  }

  streamTerminated(providerId = "primary"): TopologyEvent {
    const snapshotHash = this.state.snapshot?.hash;
    return this.#append({ kind: "stream_terminated", providerId, reason: { kind: "ended" }, snapshotHash });
  }

  healthChanged(): TopologyEvent {
    return this.#append({ kind: "health_changed", providerId: "primary", from: "healthy", to: "degraded" });
  }

  emit(event: TopologyEvent): void {
    for (const listener of this.listeners) listener(event);
  }

  #take(members: MemberSet, providerId: string, blockedNodes: readonly NodeId[]): TopologyEvent {
    const previous = this.state.snapshot;
    const snapshot = createSnapshot({ providerId, members, blockedNodes, observedAt: this.#clock.now() });
    const delta = diffSnapshots(previous ?? { members: MemberSet.empty, blockedNodes: [] }, snapshot);
    this.state = { ...this.state, snapshot, snapshotSeqNo: this.state.seqNo + 1 };
    return this.#append({ kind: "snapshot", snapshot, previousHash: previous?.hash, delta });
  }

  #append(draft: Draft): TopologyEvent {
    const seqNo = this.state.seqNo + 1;
    this.state = { ...this.state, seqNo };
    const event: TopologyEvent = { ...draft, epoch: this.state.epoch, seqNo, at: this.#clock.now() };
    this.emit(event);
    return event;
  }
}

/** Nodes by id; `b@2` is node b at another address. */
export function nodes(...names: readonly string[]): ClusterNode[] {
  return names.map((name) => {
    const [id = "", address = "1"] = name.split("@");
    return createClusterNode({ id, host: `10.0.0.${address}`, port: 7_000 });
  });
}
