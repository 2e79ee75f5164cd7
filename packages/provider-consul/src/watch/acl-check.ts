import { isProvisioningError, ProvisioningError } from "@holdfast/core";
import { fieldOf, parseJson } from "@holdfast/core/adapter";
import type { ConsulAnswer, ConsulSource } from "../http/consul-client.ts";
import type { ConsulSettings } from "../consul-params.ts";
import { toHealthPath, toScopedPath } from "./health-query.ts";

export interface AclCheckOptions {
  readonly client: ConsulSource;
  readonly params: ConsulSettings;
  readonly withinMs: number;
  readonly signal: AbortSignal;
}

/** Consul 1.11 and newer mark a response from which ACL rules have removed something. */
const FILTERED = "x-consul-results-filtered-by-acls";

/** Throws `CONNECTIVITY_UNAUTHORIZED` when the response is marked as incomplete. */
export function assertUnfiltered({ headers, address }: ConsulAnswer, { service }: ConsulSettings): void {
  if (headers[FILTERED] === "true") throw toDenied(service, address);
}

/**
 * To a token that may not read the service, or not its nodes, Consul also answers `[]` with 200. Asks whether this token may; throws
 * `CONNECTIVITY_UNAUTHORIZED` when it may not. Resolves where ACLs are off, and where Consul (before 1.8) cannot tell.
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
  const authorized = await askIfKnown(options, toScopedPath("/v1/internal/acl/authorize", options.params), [
    request,
  ]);
  if (authorized === undefined) return;
  if (isDenied(authorized.body) || (await isHidden(options))) throw toDenied(service, authorized.address);
}

/** With the right to read a service the catalog lists its name; its instances need the right to read their nodes as well. */
async function isHidden(options: AclCheckOptions): Promise<boolean> {
  const { params } = options;
  const named = await askIfKnown(options, toScopedPath("/v1/catalog/services", params));
  if (named === undefined || !Object.hasOwn(Object(parseJson(named.body.toString())), params.service))
    return false;
  const all = { ...params, health: "warning", tags: [], filter: undefined } as const;
  const shown = await askIfKnown(options, toHealthPath(all, "default", { index: 0, waitMs: 0 }));
  // The response may be long: only a short one can be empty.
  return shown !== undefined && shown.body.length < 16 && shown.body.toString().trim() === "[]";
}

/** Undefined where the endpoint does not exist, or where ACLs are off. */
async function askIfKnown(
  { client, withinMs, signal }: AclCheckOptions,
  path: string,
  body?: unknown,
): Promise<ConsulAnswer | undefined> {
  try {
    return await client.ask({ path, body, withinMs, signal });
  } catch (error) {
    if (isProvisioningError(error) && isUnsupported(error)) return undefined;
    throw error;
  }
}

/** 401: ACLs are off. 404 or 405: no such endpoint. */
function isUnsupported({ details }: ProvisioningError): boolean {
  return [401, 404, 405].some((status) => status === details["status"]);
}

function isDenied(body: Buffer): boolean {
  const answer = parseJson(body.toString());
  return Array.isArray(answer) && fieldOf(answer[0], "Allow") === false;
}

function toDenied(service: string, address: string): ProvisioningError {
  return new ProvisioningError(
    "CONNECTIVITY_UNAUTHORIZED",
    `the token may not read the service "${service}" and its nodes: Consul at ${address} leaves out what the token may not read`,
    { details: { address, service, status: 200 } },
  );
}
