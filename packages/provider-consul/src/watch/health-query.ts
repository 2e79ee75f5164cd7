import type { ConsulSettings } from "../consul-params.ts";

export type Consistency = ConsulSettings["consistency"];

export interface BlockingPosition {
  /** The index to wait beyond; 0 answers at once. */
  readonly index: number;
  readonly waitMs: number;
}

/** A filter that no entry passes: an instance always has an id. */
const NOBODY = 'Service.ID == ""';

/** The path of a health query of everything the parameters ask for. */
export function toHealthPath(
  params: ConsulSettings,
  consistency: Consistency,
  position: BlockingPosition,
): string {
  const query = toScope(params, consistency, params.filter);
  if (position.index > 0) {
    query.set("index", String(position.index));
    query.set("wait", `${position.waitMs}ms`);
  }
  return toPath(params, query);
}

/** The same question of nobody: a tiny answer by the same handler, with the same rights, and the same index. */
export function toLifePath(params: ConsulSettings, consistency: Consistency): string {
  const { filter } = params;
  return toPath(
    params,
    toScope(params, consistency, filter === undefined ? NOBODY : `(${filter}) and ${NOBODY}`),
  );
}

/** Another endpoint for the same datacenter, namespace and partition. */
export function toScopedPath(endpoint: string, params: ConsulSettings): string {
  const text = setPlace(new URLSearchParams(), params).toString();
  return text === "" ? endpoint : `${endpoint}?${text}`;
}

function toPath({ service }: ConsulSettings, query: URLSearchParams): string {
  const text = query.toString();
  return `/v1/health/service/${encodeURIComponent(service)}${text === "" ? "" : `?${text}`}`;
}

function toScope(
  params: ConsulSettings,
  consistency: Consistency,
  filter: string | undefined,
): URLSearchParams {
  const query = new URLSearchParams();
  const { near, tags, health } = params;
  // Consul reads these by their presence alone.
  if (health === "passing") query.set("passing", "1");
  if (consistency !== "default") query.set(consistency, "");
  for (const tag of tags) query.append("tag", tag);
  if (near !== undefined) query.set("near", near);
  if (filter !== undefined) query.set("filter", filter);
  return setPlace(query, params);
}

function setPlace(query: URLSearchParams, params: ConsulSettings): URLSearchParams {
  const { datacenter, namespace, partition } = params;
  if (datacenter !== undefined) query.set("dc", datacenter);
  if (namespace !== undefined) query.set("ns", namespace);
  if (partition !== undefined) query.set("partition", partition);
  return query;
}
