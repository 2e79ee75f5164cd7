// Errors.
export { ERROR_TABLE, type ErrorCategory, type ErrorCode } from "./errors/error-codes.ts";
export {
  isProvisioningError,
  ProvisioningError,
  toProvisioningError,
  type ProvisioningErrorOptions,
} from "./errors/provisioning-error.ts";
export { toReason, type Reason } from "./errors/reason.ts";
export { requestedWaitMs } from "./errors/requested-wait.ts";
export {
  describeForm,
  formatPath,
  toValidationProblems,
  type ValidationProblem,
} from "./errors/validation-problem.ts";

// Members, snapshots and the differences between them.
export {
  createClusterNode,
  isSameNode,
  type ClusterNode,
  type ClusterNodeInput,
  type NodeId,
} from "./model/cluster-node.ts";
export { toSnapshotHash, type ContentSum, type SnapshotHash } from "./model/content-hash.ts";
export { combineHashes, hashText, mixHash, type TextHash } from "./model/text-hash.ts";
export { includesSorted } from "./model/includes-sorted.ts";
export { diffMembers, type MemberDelta, type NodeUpdate } from "./model/member-diff.ts";
export { MemberSet, type MemberChange } from "./model/member-set.ts";
export type { ProviderHealth } from "./model/provider-health.ts";
export { isProviderId, type ProviderId } from "./model/provider-id.ts";
export { DEFAULT_TOPOLOGY, isTopologyName, type TopologyName } from "./model/topology-name.ts";
export {
  createSnapshot,
  diffSnapshots,
  type ProviderSnapshot,
  type SkippedEntries,
  type SnapshotDelta,
  type SnapshotParts,
} from "./model/provider-snapshot.ts";

// Providers, adapters and stores.
export type { DiscoveryStore, KnownServices } from "./contracts/discovery/discovery-store.ts";
export type {
  DiscoveryAdapter,
  DiscoveryEvent,
  FoundService,
  ServiceDiscovery,
} from "./contracts/discovery/service-discovery.ts";
export type {
  ClusterProvider,
  ProbeOptions,
  ProviderCapabilities,
  ProviderContext,
  WatchOptions,
} from "./contracts/provider/cluster-provider.ts";
export type { GenerationStore, NextGenerationOptions } from "./contracts/provider/generation-store.ts";
export type { GuardHold, GuardKind } from "./contracts/provider/guard-hold.ts";
export type { AnyProviderAdapter, ProviderAdapter } from "./contracts/provider/provider-adapter.ts";
export type { ProviderView } from "./contracts/provider/provider-view.ts";
export {
  findDescriptorProblems,
  isDescriptorInput,
  type ProviderDescriptorInput,
} from "./contracts/provider/descriptor-input.ts";
export {
  compareDescriptors,
  type DisabledReason,
  type ProviderDescriptor,
} from "./contracts/provider/provider-descriptor.ts";
export type { ProviderHealthReport } from "./contracts/provider/provider-health-report.ts";
export type { AdapterOptions, ProviderSpec, SpecOptions } from "./contracts/provider/provider-spec.ts";
export type { ProviderTermination } from "./contracts/provider/provider-termination.ts";
export type { ProviderStore } from "./contracts/provider/provider-store.ts";
export type { KnownGood, SnapshotStore } from "./contracts/provider/snapshot-store.ts";
export type { SourceEvent } from "./contracts/provider/source-event.ts";
export type { SwitchReason } from "./contracts/provider/switch-reason.ts";
export type {
  Availability,
  HealthChange,
  ProviderSwitch,
  StreamEnd,
  Update,
  UpdateRun,
  UpdateSource,
} from "./contracts/provider/update.ts";

// Announcing this process.
export type { Registrar, RegistrarContext } from "./contracts/registrar/registrar.ts";
export type { Registration, RegistrationCallOptions } from "./contracts/registrar/registration.ts";

// The ordered log.
export type { Epoch } from "./contracts/log/epoch.ts";
export type {
  GuardChangedEvent,
  HealthChangedEvent,
  ProviderChangedEvent,
  SnapshotEvent,
  StatusChangedEvent,
  StreamTerminatedEvent,
  TopologyEvent,
  TopologyEventDraft,
  TopologyNotice,
} from "./contracts/log/topology-event.ts";
export type {
  EventsOptions,
  LogPosition,
  ReadOptions,
  TopologyLog,
  TopologyReader,
} from "./contracts/log/topology-reader.ts";
export type { TopologySource } from "./contracts/log/topology-source.ts";
export {
  TOPOLOGY_STATUSES,
  type TopologyState,
  type TopologyStatus,
} from "./contracts/log/topology-state.ts";

// The ports of consumers, and their reports.
export type { Awaitable, CallOptions } from "./contracts/ports/call-options.ts";
export type { Lease } from "./contracts/ports/lease.ts";
export type { LeaseTick } from "./contracts/ports/lease-tick.ts";
export type { NodeBlocks } from "./contracts/ports/node-blocks.ts";
export type { PartitionPort } from "./contracts/ports/partition-port.ts";
export type { PlacementPort } from "./contracts/ports/placement-port.ts";
export type { PortReport } from "./contracts/ports/port-report.ts";
export type { RemoteNodeReport, RemoteNodeState } from "./contracts/ports/remote-node-report.ts";
export type { RemoteEventKind, RemoteTopologyEvent } from "./contracts/ports/remote-topology-event.ts";
export type { RemotingPort } from "./contracts/ports/remoting-port.ts";
export type { SnapshotTick } from "./contracts/ports/snapshot-tick.ts";

// Debugging.
export { createDiagnosticsChannel, type DiagnosticsChannel } from "./diagnostics/diagnostics-channel.ts";

// Reading the log.
export { followLog, type FollowIdleOptions, type FollowOptions } from "./reading/follow-log.ts";
export { readSnapshots } from "./reading/read-snapshots.ts";
export { refusalOf } from "./reading/topology-refusal.ts";
export { waitForState, waitUntilReady } from "./reading/wait-for-state.ts";

// Time, waits, queues and listeners.
export { throwIfAborted, toAbortError, whenAborted } from "./time/abort.ts";
export { createBackoff, type Backoff, type BackoffOptions, type Random } from "./time/backoff.ts";
export { callIsolated } from "./time/call-isolated.ts";
export type { Clock } from "./time/clock.ts";
export { createDeadline, type Deadline, type DeadlineOptions } from "./time/deadline.ts";
export { EventChannel } from "./time/event-channel.ts";
export { OneAtATime } from "./time/one-at-a-time.ts";
export { readUntilAborted } from "./time/read-until-aborted.ts";
export { SerialQueue } from "./time/serial-queue.ts";
export { sleep, type SleepOptions } from "./time/sleep.ts";
export { systemClock } from "./time/system-clock.ts";
export { systemRandom } from "./time/system-random.ts";
export type { SliceOptions } from "./time/time-slice.ts";
export { createTypedEvents, type TypedEvents, type Unsubscribe } from "./time/typed-events.ts";
export { untilAborted } from "./time/until-aborted.ts";
export { Wakeup } from "./time/wakeup.ts";
export { Watchdog } from "./time/watchdog.ts";
