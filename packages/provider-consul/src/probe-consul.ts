import { isProvisioningError, ProvisioningError } from "@holdfast/core";
import { assertMayRead, assertUnfiltered, type AclCheckOptions } from "./watch/acl-check.ts";
import type { ConsulAnswer } from "./http/consul-client.ts";
import { toLifePath } from "./watch/health-query.ts";
import { LEADER_PATH, saysNoLeader, toNoLeader } from "./http/no-leader.ts";
import { knowsLeader } from "./watch/staleness.ts";

/** An address gets at least this many milliseconds, however many there are. */
const LEAST_MS = 1_000;

/**
 * Proves that one of the addresses answers, that it knows a leader, and that the token may read the service; whether the service has
 * instances does not matter. The addresses share `withinMs`. Rejects with `CONNECTIVITY_*`, or with `STREAM_INVALID_DATA` where it is
 * not a Consul server.
 */
export async function probeConsul(options: AclCheckOptions): Promise<void> {
  const { client, params, signal } = options;
  const withinMs = Math.max(options.withinMs / params.addresses.length, Math.min(LEAST_MS, options.withinMs));
  await findLeader({ ...options, withinMs });
  const path = toLifePath(params, params.consistency);
  const answer = await client.askAny({ path, withinMs, signal }, assertLed);
  assertUnfiltered(answer, params);
  const { headers, address } = answer;
  if (headers["x-consul-index"] === undefined) {
    throw new ProvisioningError(
      "STREAM_INVALID_DATA",
      `${address} is not a Consul server: its response has no X-Consul-Index`,
      { details: { address, status: 200 } },
    );
  }
  await assertMayRead(options);
}

/** A server without a leader takes seven seconds to refuse a read, but reports at once that it has none. */
async function findLeader({ client, withinMs, signal }: AclCheckOptions): Promise<void> {
  try {
    await client.askAny({ path: LEADER_PATH, withinMs, signal }, ({ body, address }) => {
      if (saysNoLeader(body)) throw toNoLeader(address);
    });
  } catch (error) {
    // Where a proxy lets only the health API through, its own response has to be enough.
    const status = isProvisioningError(error) ? error.details["status"] : undefined;
    if (![401, 403, 404, 405].some((each) => each === status)) throw error;
  }
}

function assertLed(answer: ConsulAnswer): void {
  if (!knowsLeader(answer)) throw toNoLeader(answer.address);
}
