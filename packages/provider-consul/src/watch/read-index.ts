import { ProvisioningError } from "@holdfast/core";
import type { ConsulResponse } from "../http/consul-client.ts";

const INDEX = "x-consul-index";

/**
 * Returns the index of a response. Throws `STREAM_INDEX_ROLLBACK` when it is missing, 0 or less than `least`. Then the
 * server has lost its previous state (developer.hashicorp.com/consul/api-docs/features/blocking, "Implementation
 * Details").
 */
export function readIndex(
  { headers, address }: Pick<ConsulResponse, "headers" | "address">,
  least: number,
): number {
  const text = headers[INDEX];
  const index = typeof text === "string" && /^\d{1,20}$/.test(text) ? Number(text) : undefined;
  if (index !== undefined && index > 0 && index >= least) return index;
  throw new ProvisioningError(
    "STREAM_INDEX_ROLLBACK",
    index === undefined
      ? `the response from Consul at ${address} has no valid X-Consul-Index`
      : `the index of Consul at ${address} went from ${least} to ${index}`,
    { details: { address, before: least, after: index ?? null } },
  );
}
