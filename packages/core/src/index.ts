// For users of a topology.
export { systemClock } from "./time/system-clock.ts";
export { ERROR_TABLE, type ErrorCategory, type ErrorCode } from "./errors/error-codes.ts";
export {
  isProvisioningError,
  ProvisioningError,
  toProvisioningError,
  type ProvisioningErrorOptions,
} from "./errors/provisioning-error.ts";
export { toReason, type Reason } from "./errors/reason.ts";
export {
  clusterNodeSchema,
  createClusterNode,
  createNodeReader,
  isSameNode,
  type ClusterNode,
  type ClusterNodeInput,
  type NodeReader,
  type NodeId,
} from "./model/cluster-node.ts";
export { MemberSet, type MemberChange } from "./model/member-set.ts";
export { diffMembers, type MemberDelta, type NodeUpdate } from "./model/member-diff.ts";
export {
  createSnapshot,
  diffSnapshots,
  type ProviderSnapshot,
  type SkippedEntries,
  type SnapshotDelta,
  type SnapshotParts,
} from "./model/provider-snapshot.ts";
export { toSnapshotHash, type ContentSum, type SnapshotHash } from "./model/content-hash.ts";
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
} from "./contracts/log/topology-event.ts";
export type { PortReport } from "./contracts/ports/port-report.ts";
export type { ProviderAnswer } from "./contracts/provider/provider-answer.ts";
export type { GuardHold, GuardKind } from "./contracts/provider/guard-hold.ts";
export type {
  EventsOptions,
  LogPosition,
  ReadOptions,
  TopologyLog,
  TopologyReader,
} from "./contracts/log/topology-reader.ts";
export { followLog, type FollowIdleOptions, type FollowOptions } from "./reading/follow-log.ts";
export { readSnapshots, waitForState, waitUntilReady } from "./reading/read-topology.ts";
export { refusalOf } from "./reading/topology-refusal.ts";
export type {
  ProviderHealth,
  ProviderHealthReport,
  RemoteNodeReport,
  RemoteNodeState,
  SwitchReason,
} from "./model/provider-health.ts";

// For authors of adapters and stores.
export { isThisMachine, proxyFromEnvironment } from "./adapter-kit/http/proxy-from-environment.ts";
export { EXPECTED_HOST, isHost } from "./adapter-kit/is-host.ts";
export { NODE_LIMITS } from "./model/node-limits.ts";
export { shortenId, trimNode, type TrimmedNode } from "./adapter-kit/trim-node.ts";
export type {
  ClusterProvider,
  ProbeOptions,
  ProviderCapabilities,
  ProviderContext,
  WatchOptions,
} from "./contracts/provider/cluster-provider.ts";
export type { AnyProviderAdapter, ProviderAdapter } from "./contracts/provider/provider-adapter.ts";
export {
  compareDescriptors,
  descriptorInputSchema,
  providerIdSchema,
  type DisabledReason,
  type ProviderDescriptor,
  type ProviderDescriptorInput,
  type ProviderId,
} from "./contracts/provider/provider-descriptor.ts";
export type {
  Availability,
  CompositeEvent,
  ProviderEvent,
  ProviderTermination,
  SourceEvent,
} from "./contracts/provider/provider-event.ts";
export type { ProviderStore } from "./contracts/provider/provider-store.ts";
export type { GenerationStore, NextGenerationOptions } from "./contracts/provider/generation-store.ts";
export type { KnownGood, SnapshotStore } from "./contracts/provider/snapshot-store.ts";
export {
  resolveSecret,
  secretReferenceSchema,
  type ResolveSecretOptions,
  type SecretReference,
} from "./adapter-kit/secret-reference.ts";
export {
  describeForm,
  formatPath,
  toValidationProblems,
  type ValidationProblem,
} from "./errors/validation-problem.ts";
export type { Clock } from "./time/clock.ts";
export { createBackoff, type Backoff, type BackoffOptions, type Random } from "./time/backoff.ts";
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
} from "./time/abort.ts";
export { toNetworkFailure, type NetworkFailure } from "./adapter-kit/http/network-failure.ts";
export { toSafeCause } from "./errors/safe-cause.ts";
export { parseRetryAfter, toHttpFailure } from "./adapter-kit/http/http-failure.ts";
export { collectBytes, type CollectOptions } from "./adapter-kit/http/collect-bytes.ts";
export {
  defineAdapter,
  type AdapterDefinition,
  type AdapterEnvironment,
  type AdapterOptions,
  type DefinedAdapter,
  type OpenProvider,
  type ProviderSpec,
  type SpecOptions,
} from "./adapter-kit/define-adapter.ts";
export { ProviderLife } from "./adapter-kit/provider-life.ts";
export { toProbeError } from "./adapter-kit/probe-error.ts";
export { readFileWithin, type ReadFileOptions } from "./adapter-kit/files/read-file-within.ts";
export { fileAccess, type FileAccess } from "./adapter-kit/files/file-access.ts";
export { assertRegularFile, describeFileFailure } from "./adapter-kit/files/file-failure.ts";
export { ByteParts } from "./adapter-kit/files/byte-parts.ts";
export { MAX_MEMBERS } from "./model/member-limit.ts";
export { fieldOf, listOf, parseJson, textOf } from "./adapter-kit/json-field.ts";
export { includesSorted } from "./model/includes-sorted.ts";
export { SkipTally, toSkipReason } from "./adapter-kit/skip-tally.ts";
export { callIsolated } from "./time/call-isolated.ts";
export { EventChannel } from "./time/event-channel.ts";
export { SerialQueue } from "./time/serial-queue.ts";
export { createTypedEvents, type TypedEvents, type Unsubscribe } from "./time/typed-events.ts";
export type { SliceOptions } from "./time/time-slice.ts";
