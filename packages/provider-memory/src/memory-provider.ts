import {
  createClusterNode,
  createSnapshot,
  MemberSet,
  ProvisioningError,
  throwIfAborted,
  untilAborted,
  type Clock,
  type ClusterNodeInput,
  type ClusterProvider,
  type NodeId,
  type ProbeOptions,
  type ProviderCapabilities,
  type ProviderDescriptor,
  type SourceEvent,
  type ProviderId,
  type ProviderSnapshot,
  type SkippedEntries,
  type WatchOptions,
} from "@holdfast/core";
import type { MemoryParams } from "./memory-params.ts";
import { MemoryStream } from "./memory-stream.ts";

export interface MemoryProviderOptions {
  readonly id: ProviderId;
  /** @defaultValue 0 */
  readonly priority?: number | undefined;
  readonly clock: Clock;
  /** The first members, in any order. @defaultValue [] */
  readonly members?: readonly ClusterNodeInput[] | undefined;
  /** A heartbeat follows after so long without another event, in milliseconds. @defaultValue 5000 */
  readonly heartbeatMs?: number | undefined;
  /** @defaultValue { watch: true } */
  readonly capabilities?: ProviderCapabilities | undefined;
}

/** Nodes to put in (new or changed) and ids to take out. */
export interface MemoryChange {
  readonly upsert?: Iterable<ClusterNodeInput>;
  readonly remove?: Iterable<NodeId>;
}

/** What a published snapshot says besides its members. */
export interface SnapshotDetails {
  /** Wall-clock milliseconds. @defaultValue the clock's present reading */
  readonly observedAt?: number | undefined;
  readonly stalenessMs?: number | undefined;
  readonly skipped?: SkippedEntries | undefined;
  readonly trimmed?: SkippedEntries | undefined;
}

/**
 * A provider whose backend is the caller: it reports exactly the members it was last given, and fails, ends, refuses
 * or falls silent when told to. Everything it does follows from a call here or from its clock.
 */
export class MemoryProvider implements ClusterProvider {
  readonly descriptor: ProviderDescriptor<MemoryParams>;
  capabilities: ProviderCapabilities;
  readonly #clock: Clock;
  readonly #heartbeatMs: number;
  readonly #streams: Set<MemoryStream> = new Set();
  #current: ProviderSnapshot;
  #revision = 0;
  #refusal: ProvisioningError | undefined;
  /** Set while the backend hangs; resolves when it recovers. */
  #hanging: PromiseWithResolvers<void> | undefined;
  #isDisposed = false;

  /** Throws `VALIDATION_DUPLICATE_ID` when two members share an id. */
  constructor(options: MemoryProviderOptions) {
    const { id, priority = 0, clock, members, heartbeatMs = 5_000, capabilities = { watch: true } } = options;
    this.descriptor = { id, kind: "memory", priority, params: members === undefined ? {} : { members } };
    this.capabilities = capabilities;
    this.#clock = clock;
    this.#heartbeatMs = heartbeatMs;
    this.#current = this.#nextSnapshot(MemberSet.from((members ?? []).map(createClusterNode)), {});
  }

  get members(): MemberSet {
    return this.#current.members;
  }

  /** Counts what was published: "1" for the first members, then up by one with every `set` and `apply`. */
  get revision(): string {
    return String(this.#revision);
  }

  /** How many watches are running. */
  get watches(): number {
    return this.#streams.size;
  }

  /** Publishes a snapshot of exactly these members, also when nothing changed. Throws `VALIDATION_DUPLICATE_ID`. */
  set(nodes: Iterable<ClusterNodeInput>, details: SnapshotDetails = {}): void {
    this.#publish(this.members.replace(Iterator.from(nodes).map(createClusterNode)), details);
  }

  /** Publishes a snapshot with some members put in or taken out. */
  apply(change: MemoryChange, details: SnapshotDetails = {}): void {
    const upsert = Iterator.from(change.upsert ?? []).map(createClusterNode);
    this.#publish(this.members.apply({ upsert, remove: change.remove ?? [] }), details);
  }

  /** Gives a sign of life now. One follows by itself whenever `heartbeatMs` went by without another event. */
  heartbeat(): void {
    this.#tell({ type: "heartbeat" });
  }

  /** Ends every running watch as a backend does that closes its stream. */
  end(): void {
    for (const stream of this.#streams) {
      stream.push({ type: "ended" });
      stream.close();
    }
  }

  /** Breaks every running watch; a new one works again. */
  fail(error: ProvisioningError = new ProvisioningError("STREAM_FAILED", "the watch broke")): void {
    for (const stream of this.#streams) stream.close({ error });
  }

  /** Refuses new probes and watches until `recover`. Running watches go on: break them with `fail`. */
  refuse(
    error: ProvisioningError = new ProvisioningError("CONNECTIVITY_REFUSED", "the backend is not there"),
  ): void {
    this.#refusal = error;
  }

  /** Says nothing more until `recover`: no snapshot, no heartbeat, no answer to a probe or a new watch. */
  hang(): void {
    this.#hanging ??= Promise.withResolvers();
    for (const stream of this.#streams) stream.silence();
  }

  /** Undoes `refuse` and `hang`. Watches that were kept waiting get the current snapshot. */
  recover(): void {
    this.#refusal = undefined;
    if (this.#hanging === undefined) return;
    this.#hanging.resolve();
    this.#hanging = undefined;
    this.#tell({ type: "snapshot", snapshot: this.#observe() });
  }

  /** Rejects with what `refuse` was given or with `LIFECYCLE_STOPPED`; waits while the backend hangs. */
  async probe({ signal }: ProbeOptions): Promise<void> {
    throwIfAborted(signal);
    await untilAborted(this.#hanging?.promise, signal);
    this.#assertUsable();
  }

  /**
   * Throws, at the first read, what `refuse` was given, `VALIDATION_MISSING_CAPABILITY` or `LIFECYCLE_STOPPED`. A
   * consumer that lags behind still gets every snapshot.
   */
  async *watch({ signal }: WatchOptions): AsyncGenerator<SourceEvent, void> {
    if (signal.aborted) return;
    this.#assertUsable();
    if (!this.capabilities.watch) {
      throw new ProvisioningError(
        "VALIDATION_MISSING_CAPABILITY",
        `provider "${this.descriptor.id}" cannot watch`,
      );
    }
    const stream = new MemoryStream({
      signal,
      clock: this.#clock,
      heartbeatMs: this.#heartbeatMs,
      onClose: (closed) => this.#streams.delete(closed),
    });
    this.#streams.add(stream);
    if (this.#hanging === undefined) stream.push({ type: "snapshot", snapshot: this.#observe() });
    try {
      yield* stream.events;
    } finally {
      stream.close();
    }
  }

  /** Running watches and waiting probes reject with `LIFECYCLE_STOPPED`, as every later one does. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    this.#hanging?.resolve();
    this.fail(this.#stopped());
    return Promise.resolve();
  }

  #publish(members: MemberSet, details: SnapshotDetails): void {
    this.#current = this.#nextSnapshot(members, details);
    this.#tell({ type: "snapshot", snapshot: this.#current });
  }

  #nextSnapshot(members: MemberSet, details: SnapshotDetails): ProviderSnapshot {
    this.#revision++;
    return createSnapshot({
      ...details,
      providerId: this.descriptor.id,
      members,
      revision: this.revision,
      observedAt: details.observedAt ?? this.#clock.now(),
    });
  }

  /** The current snapshot, read just now. */
  #observe(): ProviderSnapshot {
    return { ...this.#current, observedAt: this.#clock.now() };
  }

  #tell(event: SourceEvent): void {
    if (this.#hanging !== undefined) return;
    for (const stream of this.#streams) stream.push(event);
  }

  #assertUsable(): void {
    if (this.#isDisposed) throw this.#stopped();
    if (this.#refusal !== undefined) throw this.#refusal;
  }

  #stopped(): ProvisioningError {
    return new ProvisioningError("LIFECYCLE_STOPPED", `provider "${this.descriptor.id}" was disposed`);
  }
}
