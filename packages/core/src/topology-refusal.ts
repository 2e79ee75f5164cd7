import { ProvisioningError } from "./provisioning-error.ts";
import type { TopologyState } from "./topology-event.ts";

/** Why new work cannot be based on the topology now; nothing when it can (`ready`, or `degraded`: the last is held). */
export function refusalOf(state: TopologyState): ProvisioningError | undefined {
  const { status, statusReason } = state;
  const refuse = (
    code:
      | "TOPOLOGY_NO_SNAPSHOT"
      | "TOPOLOGY_EMPTY"
      | "TOPOLOGY_UNAVAILABLE"
      | "LIFECYCLE_SHUTTING_DOWN"
      | "LIFECYCLE_STOPPED",
  ) => new ProvisioningError(code, `the topology is ${status}: ${statusReason}`, { details: { status } });
  switch (status) {
    case "starting":
      return refuse("TOPOLOGY_NO_SNAPSHOT");
    case "empty":
      return refuse("TOPOLOGY_EMPTY");
    case "unavailable":
      return refuse("TOPOLOGY_UNAVAILABLE");
    case "draining":
      return refuse("LIFECYCLE_SHUTTING_DOWN");
    case "stopped":
      return refuse("LIFECYCLE_STOPPED");
    case "ready":
    case "degraded":
      return undefined;
  }
}
