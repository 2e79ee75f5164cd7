import {
  createSnapshot,
  diffSnapshots,
  MemberSet,
  type Clock,
  type SnapshotParts,
  type TopologyEvent,
  type TopologyEventDraft,
  type TopologySource,
  type TopologyState,
} from "@holdfast/core";

const NOTHING = { members: MemberSet.empty, blockedNodes: [] };

/** A log that a test writes. It decides nothing, and changes its state before it emits an event. */
export class ScriptedSource implements TopologySource {
  state: TopologyState = {
    epoch: "epoch-1",
    seqNo: 0,
    status: "starting",
    statusReason: "scripted",
    snapshotSeqNo: 0,
    restoringNodes: [],
    isStale: false,
    holds: [],
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

  /** Changes the state without emitting an event. */
  set(changes: Partial<TopologyState>): void {
    this.state = { ...this.state, ...changes };
  }

  /** Makes a snapshot the newest, and emits its event. */
  publish(parts: SnapshotParts): TopologyEvent {
    const previous = this.state.snapshot;
    const snapshot = createSnapshot(parts);
    const delta = diffSnapshots(previous ?? NOTHING, snapshot);
    this.set({ snapshot, snapshotSeqNo: this.state.seqNo + 1 });
    return this.append({ kind: "snapshot", snapshot, previousHash: previous?.hash, delta });
  }

  /** Gives an event the next number, and emits it. */
  append(draft: TopologyEventDraft): TopologyEvent {
    const seqNo = this.state.seqNo + 1;
    this.set({ seqNo });
    const event: TopologyEvent = { ...draft, epoch: this.state.epoch, seqNo, at: this.#clock.now() };
    this.emit(event);
    return event;
  }

  /** Emits an event unchanged, whatever its number. */
  emit(event: TopologyEvent): void {
    for (const listener of this.listeners) listener(event);
  }
}
