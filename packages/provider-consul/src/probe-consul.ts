import { ProvisioningError } from "@holdfast/core";
import { assertMayRead, assertUnfiltered, type AclCheckOptions } from "./acl-check.ts";
import { toLifePath } from "./health-query.ts";

/**
 * Proves that one of the addresses answers, that it knows a leader, and that the token may read the service; whether the
 * service has instances does not matter. Rejects with `CONNECTIVITY_*`, or `STREAM_INVALID_DATA` where it is no Consul.
 */
export async function probeConsul(options: AclCheckOptions): Promise<void> {
  const { client, params, withinMs, signal } = options;
  const path = toLifePath(params, params.consistency);
  const { headers, address } = await client.askAny({ path, withinMs, signal });
  assertUnfiltered(headers, params);
  if (headers["x-consul-knownleader"] === "false") {
    throw new ProvisioningError("CONNECTIVITY_NO_LEADER", `Consul at ${address} has no leader`, {
      details: { address },
    });
  }
  if (headers["x-consul-index"] === undefined) {
    throw new ProvisioningError("STREAM_INVALID_DATA", `what answers at ${address} is no Consul`, {
      details: { address },
    });
  }
  await assertMayRead(options);
}
