import { isProvisioningError, ProvisioningError } from "@holdfast/core";
import { fieldOf, parseJson } from "@holdfast/core/adapter";
import type { ConsulResponse, ConsulSource } from "../http/consul-client.ts";
import type { ConsulSettings } from "../consul-params.ts";
import { toHealthPath, toScopedPath, type Scope } from "./health-query.ts";
import { FROM_START } from "./watched-query.ts";

interface RequestOptions {
  readonly client: ConsulSource;
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

export interface AclCheckOptions extends RequestOptions {
  readonly params: ConsulSettings;
}

/** Consul 1.11 and newer mark a response from which ACL rules have removed something. */
const FILTERED = "x-consul-results-filtered-by-acls";

/** Throws `CONNECTIVITY_UNAUTHORIZED` when the response is marked as incomplete. */
export function assertUnfiltered(response: ConsulResponse, { service }: ConsulSettings): void {
  if (isFiltered(response)) throw toDeniedError(service, response.address);
}

/** Whether ACL rules have removed something from a response. Consul before 1.11 does not report it. */
export function isFiltered({ headers }: ConsulResponse): boolean {
  return headers[FILTERED] === "true";
}

/**
 * Checks whether the token may read the service. This is necessary because Consul sends `[]` with 200 to a token that
 * may not read the service or its nodes. Throws `CONNECTIVITY_UNAUTHORIZED` when the token may not. Resolves when ACLs
 * are off, and when Consul (before 1.8) does not support the check.
 */
export async function assertMayRead(options: AclCheckOptions): Promise<void> {
  const { params } = options;
  const { service } = params;
  const authorized = await authorizeRead(options, { scope: params, segment: service });
  if (authorized === undefined) return;
  if (!authorized.isAllowed || (await isHidden(options))) throw toDeniedError(service, authorized.address);
}

/**
 * Asks whether the token may read a service. With the beginning of a name as `segment`, it asks whether a rule for names with
 * this beginning permits to read them. Returns undefined when ACLs are off, or when Consul does not support the question.
 */
export async function authorizeRead(
  options: RequestOptions,
  { scope, segment }: { readonly scope: Scope; readonly segment: string },
): Promise<{ readonly isAllowed: boolean; readonly address: string } | undefined> {
  const { namespace, partition } = scope;
  const request = {
    Resource: "service",
    Access: "read",
    Segment: segment,
    ...(namespace !== undefined && { Namespace: namespace }),
    ...(partition !== undefined && { Partition: partition }),
  };
  const path = toScopedPath("/v1/internal/acl/authorize", scope);
  const response = await sendIfSupported(options, path, [request]);
  return response && { isAllowed: !deniesRead(response.body), address: response.address };
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
  { client, withinMs, signal }: RequestOptions,
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
