import type { ErrorCode } from "../errors/error-codes.ts";
import { ProvisioningError } from "../errors/provisioning-error.ts";
import type { TopologyState, TopologyStatus } from "../contracts/log/topology-state.ts";

const REFUSALS: Readonly<Record<TopologyStatus, ErrorCode | undefined>> = {
  starting: "TOPOLOGY_NO_SNAPSHOT",
  ready: undefined,
  degraded: undefined,
  empty: "TOPOLOGY_EMPTY",
  unavailable: "TOPOLOGY_UNAVAILABLE",
  draining: "LIFECYCLE_SHUTTING_DOWN",
  stopped: "LIFECYCLE_STOPPED",
};

/**
 * Why new work cannot be based on the topology now; undefined when it can. It can be based on a degraded topology, unless the
 * active provider lists no member at all and a guard keeps those that are shown.
 */
export function refusalOf(state: TopologyState): ProvisioningError | undefined {
  const { status, statusReason } = state;
  const code = isOnlyRetained(state) ? "TOPOLOGY_EMPTY" : REFUSALS[status];
  if (code === undefined) return undefined;
  return new ProvisioningError(code, `the topology is ${status}: ${statusReason}`, { details: { status } });
}

function isOnlyRetained({ status, snapshot }: TopologyState): boolean {
  return (
    status === "degraded" &&
    snapshot?.retained !== undefined &&
    snapshot.retained.length === snapshot.members.size
  );
}
