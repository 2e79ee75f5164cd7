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
 * Returns the reason why new work cannot be based on the topology now, or `undefined` when it can. It can be based on a
 * degraded topology, unless the active provider lists no members and all members are only kept by a guard.
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
