// For programs that use a topology.
export { connect, type ConnectOptions } from "./connect.ts";
export { Topology } from "./topology.ts";

// Types of a topology.
export type {
  ClusterNode,
  EventsOptions,
  LogPosition,
  MemberSet,
  ProviderHealthReport,
  ProviderSnapshot,
  ProviderSpec,
  ReadOptions,
  TopologyEvent,
  TopologyReader,
  TopologyState,
  TopologyStatus,
} from "@holdfast/core";
export { isProvisioningError, ProvisioningError, type ErrorCode } from "@holdfast/core";
export type { NodeExplanation, ServicePorts, ServiceWarning } from "@holdfast/provisioning";
