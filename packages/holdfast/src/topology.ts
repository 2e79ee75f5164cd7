import {
  DEFAULT_TOPOLOGY,
  type Epoch,
  type EventsOptions,
  type MemberSet,
  type NodeBlocks,
  type NodeId,
  type ProviderHealthReport,
  type ProviderId,
  type ProviderSnapshot,
  type ReadOptions,
  type TopologyEvent,
  type TopologyName,
  type TopologyReader,
  type TopologyState,
} from "@holdfast/core";
import type { NodeExplanation, ProvisioningService, StopOptions, StopReport } from "@holdfast/provisioning";

export interface TopologyIdentity {
  /** @defaultValue "default" */
  readonly name?: TopologyName | undefined;
  /** Whether `Directory.ready` waits for it. @defaultValue true */
  readonly isRequired?: boolean | undefined;
  /** Whether a backend lists it, and not the configuration. @defaultValue false */
  readonly isDiscovered?: boolean | undefined;
}

/** One connected topology, created by `connect`. Close it, or declare it with `await using`. A directory closes its topologies itself. */
export class Topology implements TopologyReader, NodeBlocks, AsyncDisposable {
  /** The underlying service with registry, bridges and metrics. */
  readonly service: ProvisioningService;
  readonly #identity: TopologyIdentity;

  /** The topology owns the service from now on, and stops it when closed. */
  constructor(service: ProvisioningService, identity: TopologyIdentity = {}) {
    this.service = service;
    this.#identity = identity;
  }

  /** Its name in a directory. */
  get name(): TopologyName {
    return this.#identity.name ?? DEFAULT_TOPOLOGY;
  }

  /** Whether `Directory.ready` waits for it. A reload may change it. */
  get isRequired(): boolean {
    return this.#identity.isRequired ?? true;
  }

  /** Whether a backend lists it, and not the configuration. */
  get isDiscovered(): boolean {
    return this.#identity.isDiscovered ?? false;
  }

  get state(): TopologyState {
    return this.service.topology.state;
  }

  /**
   * The newest members, sorted by id. Never returns an empty set. Throws the reason when there are no usable members:
   * `TOPOLOGY_NO_SNAPSHOT`, `TOPOLOGY_EMPTY`, `TOPOLOGY_UNAVAILABLE`, `LIFECYCLE_SHUTTING_DOWN` or `LIFECYCLE_STOPPED`.
   */
  members(): MemberSet {
    return this.service.topology.newest().members;
  }

  ready(options?: ReadOptions): Promise<ProviderSnapshot> {
    return this.service.topology.ready(options);
  }

  waitFor(predicate: (state: TopologyState) => boolean, options?: ReadOptions): Promise<TopologyState> {
    return this.service.topology.waitFor(predicate, options);
  }

  snapshots(options?: ReadOptions): AsyncIterable<ProviderSnapshot> {
    return this.service.topology.snapshots(options);
  }

  events(options?: EventsOptions): AsyncIterable<TopologyEvent> {
    return this.service.topology.events(options);
  }

  onEvent(listener: (event: TopologyEvent) => unknown): () => void {
    return this.service.topology.onEvent(listener);
  }

  eventsSince(epoch: Epoch, seqNo: number, limit?: number): readonly TopologyEvent[] | undefined {
    return this.service.topology.eventsSince(epoch, seqNo, limit);
  }

  /** Explains why a node is a member, blocked, kept, or not a member: which provider lists it, since when, and by which rule. */
  explain(nodeId: NodeId): NodeExplanation {
    return this.service.explain(nodeId);
  }

  /** One report for each provider, in order of preference. */
  health(): readonly ProviderHealthReport[] {
    return this.service.providerHealth();
  }

  /** Pins a provider above all others until called with `undefined`. Throws `VALIDATION_UNKNOWN_ID` for a provider that is not registered. */
  override(providerId: ProviderId | undefined): void {
    this.service.override(providerId);
  }

  /** Accepts the removals that the mass-removal guard holds back. Returns false when it holds none back. */
  acceptRemovals(): boolean {
    return this.service.acceptRemovals();
  }

  block(nodeId: NodeId): boolean {
    return this.service.topology.block(nodeId);
  }

  restore(nodeId: NodeId): boolean {
    return this.service.topology.restore(nodeId);
  }

  /** Drains the consumers and releases all resources. Always resolves. Further calls return the same report. */
  close(options?: StopOptions): Promise<StopReport> {
    return this.service.stop(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
