import { ProvisioningError } from "@holdfast/core";

/** This endpoint responds at once; with an empty string if there is no leader. */
export const LEADER_PATH = "/v1/status/leader";

export function reportsNoLeader(body: Buffer): boolean {
  return body.length < 8 && body.toString().trim() === '""';
}

export function toNoLeader(address: string): ProvisioningError {
  return new ProvisioningError("CONNECTIVITY_NO_LEADER", `Consul at ${address} has no leader`, {
    details: { address },
  });
}
