import type { AccessSettings, Consistency, ConsulSettings } from "../consul-params.ts";
import { setPosition, type BlockingPosition } from "./watched-query.ts";

/** Where a query looks. */
export type Scope = Pick<AccessSettings, "datacenter" | "namespace" | "partition">;

/** A filter that no instance passes, because an instance always has an id. */
const NO_INSTANCE = 'Service.ID == ""';

/** Returns the path of a health query with all parameters. */
export function toHealthPath(
  params: ConsulSettings,
  consistency: Consistency,
  position: BlockingPosition,
): string {
  const query = toQuery(params, consistency, params.filter);
  setPosition(query, position);
  return toPath(params, query);
}

/**
 * Returns the path of a query that differs only in its filter, which no instance passes. The response is small, comes
 * from the same handler with the same permissions, and has the same index.
 */
export function toIndexCheckPath(
  params: ConsulSettings,
  consistency: Consistency,
  position: BlockingPosition,
): string {
  const { filter } = params;
  const query = toQuery(
    params,
    consistency,
    filter === undefined ? NO_INSTANCE : `(${filter}) and ${NO_INSTANCE}`,
  );
  setPosition(query, position);
  return toPath(params, query);
}

/** Returns the path of another endpoint, with the same datacenter, namespace and partition. */
export function toScopedPath(endpoint: string, params: Scope): string {
  const text = setScope(new URLSearchParams(), params).toString();
  return text === "" ? endpoint : `${endpoint}?${text}`;
}

function toPath({ service }: ConsulSettings, query: URLSearchParams): string {
  const text = query.toString();
  return `/v1/health/service/${encodeURIComponent(service)}${text === "" ? "" : `?${text}`}`;
}

function toQuery(
  params: ConsulSettings,
  consistency: Consistency,
  filter: string | undefined,
): URLSearchParams {
  const query = new URLSearchParams();
  const { near, tags, health } = params;
  // Consul ignores the values of `passing`, `stale` and `consistent`.
  if (health === "passing") query.set("passing", "1");
  if (consistency !== "default") query.set(consistency, "");
  for (const tag of tags) query.append("tag", tag);
  if (near !== undefined) query.set("near", near);
  if (filter !== undefined) query.set("filter", filter);
  return setScope(query, params);
}

/** Adds the datacenter, the namespace and the partition to a query string. */
export function setScope(query: URLSearchParams, params: Scope): URLSearchParams {
  const { datacenter, namespace, partition } = params;
  if (datacenter !== undefined) query.set("dc", datacenter);
  if (namespace !== undefined) query.set("ns", namespace);
  if (partition !== undefined) query.set("partition", partition);
  return query;
}
