import { isProvisioningError, ProvisioningError } from "@holdfast/core";
import { assertMayRead, assertUnfiltered, type AclCheckOptions } from "./watch/acl-check.ts";
import type { ConsulResponse } from "./http/consul-client.ts";
import { toIndexCheckPath } from "./watch/health-query.ts";
import { LEADER_PATH, reportsNoLeader, toNoLeader } from "./http/no-leader.ts";
import { knowsLeader } from "./watch/staleness.ts";
import { FROM_START } from "./watch/watched-query.ts";

/** The minimum time for each address, in milliseconds. */
const LEAST_MS = 1_000;

/**
 * Checks that one of the addresses responds, that it has a leader, and that the token may read the service. The service
 * need not have instances. The addresses share `withinMs`. Rejects with `CONNECTIVITY_*`, or with `STREAM_INVALID_DATA`
 * when the server is not a Consul server.
 */
export async function probeConsul(options: AclCheckOptions): Promise<void> {
  const { client, params, signal } = options;
  const withinMs = Math.max(options.withinMs / params.addresses.length, Math.min(LEAST_MS, options.withinMs));
  await findLeader({ ...options, withinMs });
  const path = toIndexCheckPath(params, params.consistency, FROM_START);
  const response = await client.sendToAny({ path, withinMs, signal }, assertHasLeader);
  assertUnfiltered(response, params);
  const { headers, address } = response;
  if (headers["x-consul-index"] === undefined) {
    throw new ProvisioningError(
      "STREAM_INVALID_DATA",
      `${address} is not a Consul server: its response has no X-Consul-Index`,
      { details: { address, status: 200 } },
    );
  }
  await assertMayRead(options);
}

/** A server without a leader takes seven seconds to reject a read, but reports at once that it has no leader. */
async function findLeader({ client, withinMs, signal }: AclCheckOptions): Promise<void> {
  try {
    // One of the probes that run at the same time asks for all.
    await client.once(
      "leader",
      (shared) =>
        client.sendToAny({ path: LEADER_PATH, withinMs, signal: shared }, ({ body, address }) => {
          if (reportsNoLeader(body)) throw toNoLeader(address);
        }),
      signal,
    );
  } catch (error) {
    // A proxy may permit only the health API. Then the response of the health API is sufficient.
    const status = isProvisioningError(error) ? error.details["status"] : undefined;
    if (![401, 403, 404, 405].some((each) => each === status)) throw error;
  }
}

function assertHasLeader(response: ConsulResponse): void {
  if (!knowsLeader(response)) throw toNoLeader(response.address);
}
