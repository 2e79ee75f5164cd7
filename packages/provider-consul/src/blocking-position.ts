import { ProvisioningError } from "@holdfast/core";

const INDEX = "x-consul-index";

/**
 * The index of an answer. Throws `STREAM_INDEX_ROLLBACK` when it is missing, 0 or below `least`: then the server has
 * forgotten what it said (developer.hashicorp.com/consul/api-docs/features/blocking, "Implementation Details").
 */
export function readIndex(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  least: number,
): number {
  const text = headers[INDEX];
  const index = typeof text === "string" && /^\d{1,20}$/.test(text) ? Number(text) : undefined;
  if (index !== undefined && index > 0 && index >= least) return index;
  throw new ProvisioningError(
    "STREAM_INDEX_ROLLBACK",
    `Consul's index went from ${least} to ${index ?? "none"}`,
    { details: { before: least, after: index ?? null } },
  );
}
