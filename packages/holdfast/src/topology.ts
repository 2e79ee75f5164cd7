import type {
  Epoch,
  EventsOptions,
  MemberSet,
  NodeBlocks,
  NodeId,
  ProviderHealthReport,
  ProviderId,
  ProviderSnapshot,
  ReadOptions,
  TopologyEvent,
  TopologyReader,
  TopologyState,
} from "@holdfast/core";
import type { NodeExplanation, ProvisioningService, StopOptions, StopReport } from "@holdfast/provisioning";

/** One connected topology. Made by `connect`; close it, or declare it with `await using`. */
export class Topology implements TopologyReader, NodeBlocks, AsyncDisposable {
  /** The whole service: registry, bridges, metrics. */
  readonly service: ProvisioningService;

  /** `service` has been started. The topology owns it from now on. */
  constructor(service: ProvisioningService) {
    this.service = service;
  }

  get state(): TopologyState {
    return this.service.topology.state;
  }

  /**
   * The newest members, sorted by id. Throws the reason when there are none to work with: `TOPOLOGY_NO_SNAPSHOT`,
   * `TOPOLOGY_EMPTY`, `TOPOLOGY_UNAVAILABLE`, `LIFECYCLE_SHUTTING_DOWN` or `LIFECYCLE_STOPPED`. An unknown topology is never
   * an empty list.
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

  eventsSince(epoch: Epoch, seqNo: number): readonly TopologyEvent[] | undefined {
    return this.service.topology.eventsSince(epoch, seqNo);
  }

  /** Why a node is in, out, held or blocked: which provider reports it, when, and by which rule. */
  explain(nodeId: NodeId): NodeExplanation {
    return this.service.explain(nodeId);
  }

  /** One report for each provider, the most preferred first. */
  health(): readonly ProviderHealthReport[] {
    return this.service.providerHealth();
  }

  /** Prefers a provider to all others until released with `undefined`. Throws `VALIDATION_UNKNOWN_ID`. */
  override(providerId: ProviderId | undefined): void {
    this.service.override(providerId);
  }

  /** Lets a removal take effect that the mass-removal guard holds. False when it holds none. */
  acceptRemovals(): boolean {
    return this.service.acceptRemovals();
  }

  block(nodeId: NodeId): boolean {
    return this.service.topology.block(nodeId);
  }

  restore(nodeId: NodeId): boolean {
    return this.service.topology.restore(nodeId);
  }

  /** Drains and releases everything. Always resolves; a further call gives the same report. */
  close(options?: StopOptions): Promise<StopReport> {
    return this.service.stop(options);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
