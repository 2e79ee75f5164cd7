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
  /** The initial members, in any order. @defaultValue [] */
  readonly members?: readonly ClusterNodeInput[] | undefined;
  /** A heartbeat is emitted after this many milliseconds without another event. @defaultValue 5000 */
  readonly heartbeatMs?: number | undefined;
  /** @defaultValue { watch: true } */
  readonly capabilities?: ProviderCapabilities | undefined;
}

/** Nodes to add or replace, and ids to remove. */
export interface MemoryChange {
  readonly upsert?: Iterable<ClusterNodeInput>;
  readonly remove?: Iterable<NodeId>;
}

/** Fields of a published snapshot in addition to its members. */
export interface SnapshotDetails {
  /** Wall-clock milliseconds. @defaultValue the current time of the clock */
  readonly observedAt?: number | undefined;
  readonly stalenessMs?: number | undefined;
  readonly skipped?: SkippedEntries | undefined;
  readonly trimmed?: SkippedEntries | undefined;
}

/**
 * A provider whose backend is the caller: it reports exactly the members it was last given, and fails, ends, refuses or
 * stops responding on request. Everything it does is caused by a call or by its clock.
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

  /** Counts the published snapshots: "1" for the initial members, then one more with every `set` and `apply`. */
  get revision(): string {
    return String(this.#revision);
  }

  /** Number of running watches. */
  get watches(): number {
    return this.#streams.size;
  }

  /** Publishes a snapshot of exactly these members, also when nothing changed. Throws `VALIDATION_DUPLICATE_ID`. */
  set(nodes: Iterable<ClusterNodeInput>, details: SnapshotDetails = {}): void {
    this.#publish(this.members.replace(Iterator.from(nodes).map(createClusterNode)), details);
  }

  /** Publishes a snapshot with members added, replaced or removed. */
  apply(change: MemoryChange, details: SnapshotDetails = {}): void {
    const upsert = Iterator.from(change.upsert ?? []).map(createClusterNode);
    this.#publish(this.members.apply({ upsert, remove: change.remove ?? [] }), details);
  }

  /** Yields a heartbeat now. Heartbeats also follow by themselves after `heartbeatMs` without another event. */
  heartbeat(): void {
    this.#emit({ type: "heartbeat" });
  }

  /** Ends every running watch, like a backend that closes its stream. */
  end(): void {
    for (const stream of this.#streams) {
      stream.push({ type: "ended" });
      stream.close();
    }
  }

  /** Fails every running watch. A new watch works. */
  fail(error: ProvisioningError = new ProvisioningError("STREAM_FAILED", "the watch failed")): void {
    for (const stream of this.#streams) stream.close({ error });
  }

  /** Refuses new probes and watches until `recover`. Running watches continue: use `fail` to end them with an error. */
  refuse(
    error: ProvisioningError = new ProvisioningError(
      "CONNECTIVITY_REFUSED",
      "the backend refused the connection",
    ),
  ): void {
    this.#refusal = error;
  }

  /** Stops responding until `recover`: no snapshot, no heartbeat, no response to a probe or a new watch. */
  hang(): void {
    this.#hanging ??= Promise.withResolvers();
    for (const stream of this.#streams) stream.silence();
  }

  /** Reverts `refuse` and `hang`. Watches that were waiting get the current snapshot. */
  recover(): void {
    this.#refusal = undefined;
    if (this.#hanging === undefined) return;
    this.#hanging.resolve();
    this.#hanging = undefined;
    this.#emit({ type: "snapshot", snapshot: this.#observe() });
  }

  /** Rejects with the error of `refuse` or with `LIFECYCLE_STOPPED`. Waits while the backend hangs. */
  async probe({ signal }: ProbeOptions): Promise<void> {
    throwIfAborted(signal);
    await untilAborted(this.#hanging?.promise, signal);
    this.#assertUsable();
  }

  /**
   * Throws, at the first read, the error of `refuse`, `VALIDATION_MISSING_CAPABILITY` or `LIFECYCLE_STOPPED`. A slow
   * consumer still gets every snapshot.
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

  /** Running watches and waiting probes reject with `LIFECYCLE_STOPPED`, as all later ones do. */
  [Symbol.asyncDispose](): Promise<void> {
    this.#isDisposed = true;
    this.#hanging?.resolve();
    this.fail(this.#toStoppedError());
    return Promise.resolve();
  }

  #publish(members: MemberSet, details: SnapshotDetails): void {
    this.#current = this.#nextSnapshot(members, details);
    this.#emit({ type: "snapshot", snapshot: this.#current });
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

  /** The current snapshot with a new `observedAt`. */
  #observe(): ProviderSnapshot {
    return { ...this.#current, observedAt: this.#clock.now() };
  }

  #emit(event: SourceEvent): void {
    if (this.#hanging !== undefined) return;
    for (const stream of this.#streams) stream.push(event);
  }

  #assertUsable(): void {
    if (this.#isDisposed) throw this.#toStoppedError();
    if (this.#refusal !== undefined) throw this.#refusal;
  }

  #toStoppedError(): ProvisioningError {
    return new ProvisioningError("LIFECYCLE_STOPPED", `provider "${this.descriptor.id}" was disposed`);
  }
}
