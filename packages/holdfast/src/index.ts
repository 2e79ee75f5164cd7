// For programs that use a topology.
export { connect, type ConnectOptions } from "./connect.ts";
export type {
  CommonTopologyOptions,
  ConnectDirectoryOptions,
  DiscoverOptions,
  DiscoverSource,
  TopologyOptions,
} from "./connect-directory.ts";
export { Directory, type DirectoryStartOptions } from "./directory/directory.ts";
export { fillTemplate, type TemplateValues } from "./discovery/fill-template.ts";
export type { DirectoryChange } from "./directory/directory-change.ts";
export type { DirectoryDefinition } from "./directory/directory-definition.ts";
export type { DirectoryOptions } from "./directory/directory-options.ts";
export type { ReloadReport } from "./directory/directory-reload.ts";
export type { DirectoryWarning } from "./directory/directory-warning.ts";
export type {
  TopologyDefinition,
  TopologySettings,
  TopologyStores,
} from "./directory/topology-definition.ts";
export type {
  DiscoveryDefinition,
  DiscoveryMassRemovalOptions,
  DiscoveryOptions,
  DiscoverySource,
} from "./discovery/discovery-definition.ts";
export { toDescriptors } from "./to-configuration.ts";
export { Topology, type TopologyIdentity } from "./topology.ts";

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
