import { fieldOf, isProvisioningError, parseJson, ProvisioningError } from "@holdfast/core";
import type { ConsulSource } from "./consul-client.ts";
import type { ConsulProviderParams } from "./consul-params.ts";
import { toHealthPath, toScopedPath } from "./health-query.ts";

export interface AclCheckOptions {
  readonly client: ConsulSource;
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
 * An answer without entries is `[]` with 200 to one who may not read the service, or not its nodes, too. Asks whether this
 * token may; throws `CONNECTIVITY_UNAUTHORIZED` when it may not. Resolves where ACLs are off, and where Consul (before 1.8)
 * can't tell.
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
  if (isDenied(authorized)) throw toDenied(service);
  if (await isHidden(options)) throw toDenied(service);
}

/** The catalog names a service to whoever may read it, its instances only to whoever may read their nodes as well. */
async function isHidden(options: AclCheckOptions): Promise<boolean> {
  const { params } = options;
  const named = await askIfKnown(options, toScopedPath("/v1/catalog/services", params));
  if (named === undefined || !Object.hasOwn(Object(parseJson(named.toString())), params.service))
    return false;
  const all = { ...params, health: "warning", tags: [], filter: undefined } as const;
  const shown = await askIfKnown(options, toHealthPath(all, "default", { index: 0, waitMs: 0 }));
  // A whole answer may be long: only an empty one is looked into.
  return shown !== undefined && shown.length < 16 && shown.toString().trim() === "[]";
}

/** Undefined where there is no such endpoint, or where ACLs are off. */
async function askIfKnown(
  { client, withinMs, signal }: AclCheckOptions,
  path: string,
  body?: unknown,
): Promise<Buffer | undefined> {
  try {
    return (await client.ask({ path, body, withinMs, signal })).body;
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

function toDenied(service: string): ProvisioningError {
  return new ProvisioningError(
    "CONNECTIVITY_UNAUTHORIZED",
    `the token may not read the service "${service}" and its nodes: Consul leaves out what it may not see`,
    { details: { service } },
  );
}
