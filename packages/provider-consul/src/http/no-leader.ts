import { ProvisioningError } from "@holdfast/core";

/** Answers at once, with an empty text where there is no leader. */
export const LEADER_PATH = "/v1/status/leader";

export function saysNoLeader(body: Buffer): boolean {
  return body.length < 8 && body.toString().trim() === '""';
}

export function toNoLeader(address: string): ProvisioningError {
  return new ProvisioningError("CONNECTIVITY_NO_LEADER", `Consul at ${address} has no leader`, {
    details: { address },
  });
}
