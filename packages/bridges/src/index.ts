// For users of a topology.
export { OwnershipLane, type OwnershipLaneOptions } from "./ownership-lane.ts";
export type {
  Admission,
  AdmitOptions,
  PlacementSupervisorBridge,
  PublishLeasesOptions,
} from "./placement-supervisor-bridge.ts";
export type { PartitionManagerBridge } from "./partition-manager-bridge.ts";
export { RemotingBridge, type RemotingBridgeOptions } from "./remoting-bridge.ts";
export type { PortPolicy, PortPolicyOptions } from "./port-policy.ts";
export type { BridgeOptions, DrainOptions, DrainReport } from "./bridge-options.ts";

// For authors of ports and receivers.
export type { Lease, PlacementPort } from "./placement-port.ts";
export type { LeaseTick, PartitionPort } from "./partition-port.ts";
export type { RemotingPort } from "./remoting-port.ts";
export type { SnapshotTick } from "./snapshot-tick.ts";
export type { Awaitable, CallOptions } from "./port-call.ts";
export type { RemoteEventKind, RemoteTopologyEvent } from "./remote-topology-event.ts";
export { RemoteEventFilter } from "./remote-event-filter.ts";
export { SequenceGuard, type SequencePoint } from "./sequence-guard.ts";
