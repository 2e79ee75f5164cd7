import { isProvisioningError, ProvisioningError } from "@holdfast/core";
import { assertMayRead, assertUnfiltered, type AclCheckOptions } from "./acl-check.ts";
import type { ConsulAnswer } from "./consul-client.ts";
import { toLifePath } from "./health-query.ts";

/**
 * Proves that one of the addresses answers, that it knows a leader, and that the token may read the service; whether the
 * service has instances does not matter. Rejects with `CONNECTIVITY_*`, or `STREAM_INVALID_DATA` where it is no Consul.
 */
export async function probeConsul(options: AclCheckOptions): Promise<void> {
  const { client, params, withinMs, signal } = options;
  await findLeader(options);
  const path = toLifePath(params, params.consistency);
  const { headers, address } = await client.askAny({ path, withinMs, signal }, assertLed);
  assertUnfiltered(headers, params);
  if (headers["x-consul-index"] === undefined) {
    throw new ProvisioningError("STREAM_INVALID_DATA", `what answers at ${address} is no Consul`, {
      details: { address },
    });
  }
  await assertMayRead(options);
}

/** A server without a leader takes seven seconds to refuse a read, but says at once that it has none. */
async function findLeader({ client, withinMs, signal }: AclCheckOptions): Promise<void> {
  try {
    await client.askAny({ path: "/v1/status/leader", withinMs, signal }, (answer) => {
      if (answer.body.length < 8 && answer.body.toString().trim() === '""') throw toNoLeader(answer);
    });
  } catch (error) {
    // Where only the health API is let through, its own answer has to do.
    const status = isProvisioningError(error) ? error.details["status"] : undefined;
    if (![401, 403, 404, 405].some((each) => each === status)) throw error;
  }
}

function assertLed(answer: ConsulAnswer): void {
  if (answer.headers["x-consul-knownleader"] === "false") throw toNoLeader(answer);
}

function toNoLeader({ address }: ConsulAnswer): ProvisioningError {
  return new ProvisioningError("CONNECTIVITY_NO_LEADER", `Consul at ${address} has no leader`, {
    details: { address },
  });
}
