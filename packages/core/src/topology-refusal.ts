import type { ErrorCode } from "./error-codes.ts";
import { ProvisioningError } from "./provisioning-error.ts";
import type { TopologyState, TopologyStatus } from "./topology-event.ts";

const REFUSALS: Readonly<Record<TopologyStatus, ErrorCode | undefined>> = {
  starting: "TOPOLOGY_NO_SNAPSHOT",
  ready: undefined,
  degraded: undefined,
  empty: "TOPOLOGY_EMPTY",
  unavailable: "TOPOLOGY_UNAVAILABLE",
  draining: "LIFECYCLE_SHUTTING_DOWN",
  stopped: "LIFECYCLE_STOPPED",
};

/** Why new work cannot be based on the topology now; nothing when it can (`ready`, or `degraded`: the last is held). */
export function refusalOf(state: TopologyState): ProvisioningError | undefined {
  const { status, statusReason } = state;
  const code = REFUSALS[status];
  if (code === undefined) return undefined;
  return new ProvisioningError(code, `the topology is ${status}: ${statusReason}`, { details: { status } });
}
