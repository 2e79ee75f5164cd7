// For users of a topology.
export { systemClock } from "./system-clock.ts";
export { ERROR_TABLE, type ErrorCategory, type ErrorCode } from "./error-codes.ts";
export {
  isProvisioningError,
  ProvisioningError,
  toProvisioningError,
  type ProvisioningErrorOptions,
} from "./provisioning-error.ts";
export { toReason, type Reason } from "./reason.ts";
export {
  clusterNodeSchema,
  createClusterNode,
  createNodeReader,
  isSameNode,
  type ClusterNode,
  type ClusterNodeInput,
  type NodeReader,
  type NodeId,
} from "./cluster-node.ts";
export { MemberSet, type MemberChange } from "./member-set.ts";
export { diffMembers, type MemberDelta, type NodeUpdate } from "./member-diff.ts";
export {
  createSnapshot,
  diffSnapshots,
  type ProviderSnapshot,
  type SkippedEntries,
  type SnapshotDelta,
  type SnapshotParts,
} from "./provider-snapshot.ts";
export { toSnapshotHash, type ContentSum, type SnapshotHash } from "./content-hash.ts";
export type {
  Epoch,
  GuardChangedEvent,
  HealthChangedEvent,
  NodeBlocks,
  ProviderChangedEvent,
  SnapshotEvent,
  StatusChangedEvent,
  StreamTerminatedEvent,
  TopologyEvent,
  TopologyEventDraft,
  TopologyNotice,
  TopologySource,
  TopologyState,
  TopologyStatus,
} from "./topology-event.ts";
export type { PortReport } from "./port-report.ts";
export type { ProviderAnswer } from "./provider-answer.ts";
export type { GuardHold, GuardKind } from "./guard.ts";
export type {
  EventsOptions,
  LogPosition,
  ReadOptions,
  TopologyLog,
  TopologyReader,
} from "./topology-reader.ts";
export { followLog, type FollowIdleOptions, type FollowOptions } from "./follow-log.ts";
export { readSnapshots, waitForState, waitUntilReady } from "./read-topology.ts";
export { refusalOf } from "./topology-refusal.ts";
export type {
  ProviderHealth,
  ProviderHealthReport,
  RemoteNodeReport,
  RemoteNodeState,
  SwitchReason,
} from "./provider-health.ts";

// For authors of adapters and stores.
export { isThisMachine, proxyFromEnvironment } from "./proxy-from-environment.ts";
export { EXPECTED_HOST, isHost } from "./is-host.ts";
export { NODE_LIMITS } from "./node-limits.ts";
export { shortenId, trimNode, type TrimmedNode } from "./trim-node.ts";
export type {
  ClusterProvider,
  ProbeOptions,
  ProviderCapabilities,
  ProviderContext,
  WatchOptions,
} from "./cluster-provider.ts";
export type { AnyProviderAdapter, ProviderAdapter } from "./provider-adapter.ts";
export {
  compareDescriptors,
  descriptorInputSchema,
  providerIdSchema,
  type DisabledReason,
  type ProviderDescriptor,
  type ProviderDescriptorInput,
  type ProviderId,
} from "./provider-descriptor.ts";
export type {
  Availability,
  CompositeEvent,
  ProviderEvent,
  ProviderTermination,
  SourceEvent,
} from "./provider-event.ts";
export type { ProviderStore } from "./provider-store.ts";
export type { GenerationStore, NextGenerationOptions } from "./generation-store.ts";
export type { KnownGood, SnapshotStore } from "./snapshot-store.ts";
export {
  resolveSecret,
  secretReferenceSchema,
  type ResolveSecretOptions,
  type SecretReference,
} from "./secret-reference.ts";
export {
  describeForm,
  formatPath,
  toValidationProblems,
  type ValidationProblem,
} from "./validation-problem.ts";
export type { Clock } from "./clock.ts";
export { createBackoff, type Backoff, type BackoffOptions, type Random } from "./backoff.ts";
export {
  createDeadline,
  sleep,
  throwIfAborted,
  toAbortError,
  untilAborted,
  readUntilAborted,
  whenAborted,
  type Deadline,
  type DeadlineOptions,
  type SleepOptions,
} from "./abort.ts";
export { toNetworkFailure, type NetworkFailure } from "./network-failure.ts";
export { toSafeCause } from "./safe-cause.ts";
export { parseRetryAfter, toHttpFailure } from "./http-failure.ts";
export { collectBytes, type CollectOptions } from "./collect-bytes.ts";
export {
  defineAdapter,
  type AdapterDefinition,
  type AdapterEnvironment,
  type AdapterOptions,
  type DefinedAdapter,
  type OpenProvider,
  type ProviderSpec,
  type SpecOptions,
} from "./define-adapter.ts";
export { ProviderLife } from "./provider-life.ts";
export { toProbeError } from "./probe-error.ts";
export { readFileWithin, type ReadFileOptions } from "./read-file-within.ts";
export { fileAccess, type FileAccess } from "./file-access.ts";
export { assertRegularFile, describeFileFailure } from "./file-failure.ts";
export { ByteParts } from "./byte-parts.ts";
export { MAX_MEMBERS } from "./member-limit.ts";
export { fieldOf, listOf, parseJson, textOf } from "./json-field.ts";
export { includesSorted } from "./includes-sorted.ts";
export { SkipTally, toSkipReason } from "./skip-tally.ts";
export { callIsolated } from "./call-isolated.ts";
export { EventChannel } from "./event-channel.ts";
export { SerialQueue } from "./serial-queue.ts";
export { createTypedEvents, type TypedEvents, type Unsubscribe } from "./typed-events.ts";
export type { SliceOptions } from "./time-slice.ts";
