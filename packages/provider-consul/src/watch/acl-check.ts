import { isProvisioningError, ProvisioningError } from "@holdfast/core";
import { fieldOf, parseJson } from "@holdfast/core/adapter";
import type { ConsulResponse, ConsulSource } from "../http/consul-client.ts";
import type { ConsulSettings } from "../consul-params.ts";
import { toHealthPath, toScopedPath } from "./health-query.ts";
import { FROM_START } from "./watched-query.ts";

export interface AclCheckOptions {
  readonly client: ConsulSource;
  readonly params: ConsulSettings;
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

/** Consul 1.11 and newer mark a response from which ACL rules have removed something. */
const FILTERED = "x-consul-results-filtered-by-acls";

/** Throws `CONNECTIVITY_UNAUTHORIZED` when the response is marked as incomplete. */
export function assertUnfiltered({ headers, address }: ConsulResponse, { service }: ConsulSettings): void {
  if (headers[FILTERED] === "true") throw toDeniedError(service, address);
}

/**
 * Checks whether the token may read the service. This is necessary because Consul sends `[]` with 200 to a token that
 * may not read the service or its nodes. Throws `CONNECTIVITY_UNAUTHORIZED` when the token may not. Resolves when ACLs
 * are off, and when Consul (before 1.8) does not support the check.
 */
export async function assertMayRead(options: AclCheckOptions): Promise<void> {
  const { service, namespace, partition } = options.params;
  const request = {
    Resource: "service",
    Access: "read",
    Segment: service,
    ...(namespace !== undefined && { Namespace: namespace }),
    ...(partition !== undefined && { Partition: partition }),
  };
  const authorized = await sendIfSupported(
    options,
    toScopedPath("/v1/internal/acl/authorize", options.params),
    [request],
  );
  if (authorized === undefined) return;
  if (deniesRead(authorized.body) || (await isHidden(options)))
    throw toDeniedError(service, authorized.address);
}

/**
 * Checks whether the instances are hidden. A token that may read a service sees its name in the catalog, but to see its
 * instances it must also be allowed to read their nodes.
 */
async function isHidden(options: AclCheckOptions): Promise<boolean> {
  const { params } = options;
  const catalog = await sendIfSupported(options, toScopedPath("/v1/catalog/services", params));
  if (catalog === undefined || !Object.hasOwn(Object(parseJson(catalog.body.toString())), params.service))
    return false;
  const all = { ...params, health: "warning", tags: [], filter: undefined } as const;
  const instances = await sendIfSupported(options, toHealthPath(all, "default", FROM_START));
  // Check the length first, because the response may be long and only a short one can be empty.
  return instances !== undefined && instances.body.length < 16 && instances.body.toString().trim() === "[]";
}

/** Returns undefined when the endpoint does not exist, or when ACLs are off. */
async function sendIfSupported(
  { client, withinMs, signal }: AclCheckOptions,
  path: string,
  body?: unknown,
): Promise<ConsulResponse | undefined> {
  try {
    return await client.send({ path, body, withinMs, signal });
  } catch (error) {
    if (isProvisioningError(error) && isUnsupported(error)) return undefined;
    throw error;
  }
}

/** 401: ACLs are off. 404 or 405: no such endpoint. */
function isUnsupported({ details }: ProvisioningError): boolean {
  return [401, 404, 405].some((status) => status === details["status"]);
}

function deniesRead(body: Buffer): boolean {
  const response = parseJson(body.toString());
  return Array.isArray(response) && fieldOf(response[0], "Allow") === false;
}

function toDeniedError(service: string, address: string): ProvisioningError {
  return new ProvisioningError(
    "CONNECTIVITY_UNAUTHORIZED",
    `the token may not read the service "${service}" and its nodes: Consul at ${address} leaves out entries that the token may not read`,
    { details: { address, service, status: 200 } },
  );
}
