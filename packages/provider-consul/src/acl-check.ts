import { fieldOf, isProvisioningError, ProvisioningError } from "@holdfast/core";
import type { ConsulClient } from "./consul-client.ts";
import type { ConsulProviderParams } from "./consul-params.ts";

export interface AclCheckOptions {
  readonly client: ConsulClient;
  readonly params: ConsulProviderParams;
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

/** Consul 1.11 and newer say so where rules have left something out. */
const FILTERED = "x-consul-results-filtered-by-acls";

/** Throws `CONNECTIVITY_UNAUTHORIZED` when the answer says that it is not the whole truth. */
export function assertUnfiltered(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  { service }: ConsulProviderParams,
): void {
  if (headers[FILTERED] === "true") throw toDenied(service);
}

/**
 * An answer without entries is `[]` with 200 to one who may not read the service, too. Asks whether this token may; throws
 * `CONNECTIVITY_UNAUTHORIZED` when it may not. Resolves where ACLs are off, and where Consul (before 1.8) can't tell.
 */
export async function assertMayRead({ client, params, withinMs, signal }: AclCheckOptions): Promise<void> {
  const { service, datacenter, namespace, partition } = params;
  const query = new URLSearchParams();
  if (datacenter !== undefined) query.set("dc", datacenter);
  const request = {
    Resource: "service",
    Access: "read",
    Segment: service,
    ...(namespace !== undefined && { Namespace: namespace }),
    ...(partition !== undefined && { Partition: partition }),
  };
  const scope = query.size === 0 ? "" : `?${query.toString()}`;
  const path = `/v1/internal/acl/authorize${scope}`;
  let body: Uint8Array;
  try {
    ({ body } = await client.ask({ path, body: [request], withinMs, signal }));
  } catch (error) {
    if (isProvisioningError(error) && isUnsupported(error)) return;
    throw error;
  }
  if (isDenied(body)) throw toDenied(service);
}

/** 401: ACLs are off. 404 or 405: no such endpoint. */
function isUnsupported({ details }: ProvisioningError): boolean {
  return [401, 404, 405].some((status) => status === details["status"]);
}

function isDenied(body: Uint8Array): boolean {
  try {
    const answer: unknown = JSON.parse(Buffer.from(body).toString());
    return Array.isArray(answer) && fieldOf(answer[0], "Allow") === false;
  } catch {
    return false;
  }
}

function toDenied(service: string): ProvisioningError {
  return new ProvisioningError(
    "CONNECTIVITY_UNAUTHORIZED",
    `the token may not read the service "${service}" and its nodes: Consul leaves out what it may not see`,
    { details: { service } },
  );
}
