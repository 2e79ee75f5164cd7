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

// For authors of receivers.
export { RemoteEventFilter } from "./remote-event-filter.ts";
export { SequenceGuard, type SequencePoint } from "./sequence-guard.ts";
