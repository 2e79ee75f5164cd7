import type { ClusterNodeInput } from "@holdfast/core";
import { Agent, request } from "undici";

/** An EndpointSlice as a controller writes it. */
export interface Slice {
  readonly name: string;
  readonly port: number;
  readonly nodes: readonly Pick<ClusterNodeInput, "id" | "host" | "zone">[];
}

/** An EndpointSlice of IPv4 addresses with endpoints in the format of the API. */
export interface SliceShape {
  readonly name: string;
  /** @defaultValue 80 */
  readonly port?: number;
  readonly endpoints: readonly object[];
}

export interface KubernetesAccess {
  readonly address: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Options of `tls.connect`: `ca`, `cert`, `rejectUnauthorized`, ... */
  readonly tls: Readonly<Record<string, unknown>>;
}

/** Writes EndpointSlices through the API of Kubernetes. */
export class KubernetesApi {
  readonly access: KubernetesAccess;
  readonly #dispatcher: Agent;
  /** For each namespace and service: the name and the JSON text of each slice. */
  readonly #published = new Map<string, Map<string, string>>();

  constructor(access: KubernetesAccess) {
    this.access = access;
    this.#dispatcher = new Agent({ connect: access.tls, allowH2: false });
  }

  /** Sends one request; rejects unless it succeeds. */
  async call(method: "GET" | "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<unknown> {
    const response = await request(this.access.address + path, {
      method,
      dispatcher: this.#dispatcher,
      headers: { ...this.access.headers, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.body.text();
    if (response.statusCode < 300) return text.startsWith("{") ? JSON.parse(text) : text;
    throw new Error(`${method} ${path} returned ${response.statusCode}: ${text}`);
  }

  async isReady(): Promise<boolean> {
    return (await this.call("GET", "/readyz")) === "ok";
  }

  /** Replaces the whole content of the service, with one slice for each port, because all endpoints of a slice have the same ports. */
  async publish(service: string, nodes: readonly ClusterNodeInput[], namespace = "default"): Promise<void> {
    const byPort = Map.groupBy(new Map(nodes.map((node) => [node.id, node])).values(), ({ port }) => port);
    const slices = [...byPort].map(([port, members]) => ({
      name: `${service}-${port}`,
      port,
      nodes: members,
    }));
    await this.publishSlices(service, slices, namespace);
  }

  async publishSlices(service: string, slices: readonly Slice[], namespace = "default"): Promise<void> {
    const objects = slices.map((slice) => [slice.name, toObject(service, slice)] as const);
    await this.#replaceSlices(service, objects, namespace);
  }

  /** Replaces all slices of the service, with the fields as given. */
  async publishShapes(service: string, shapes: readonly SliceShape[], namespace = "default"): Promise<void> {
    const objects = shapes.map(({ name, ...fields }) => [name, toBareSlice(service, name, fields)] as const);
    await this.#replaceSlices(service, objects, namespace);
  }

  close(): Promise<void> {
    return this.#dispatcher.destroy();
  }

  async #replaceSlices(
    service: string,
    objects: readonly (readonly [name: string, object: unknown])[],
    namespace: string,
  ): Promise<void> {
    const base = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
    const key = `${namespace}/${service}`;
    const before = this.#published.get(key) ?? new Map<string, string>();
    const after = new Map<string, string>();
    for (const [name, object] of objects) {
      const text = JSON.stringify(object);
      after.set(name, text);
      if (before.get(name) === text) continue;
      if (before.has(name)) await this.call("PUT", `${base}/${name}`, object);
      else await this.call("POST", base, object);
    }
    for (const name of before.keys()) if (!after.has(name)) await this.call("DELETE", `${base}/${name}`);
    this.#published.set(key, after);
  }
}

function toBareSlice(service: string, name: string, { port = 80, endpoints }: Omit<SliceShape, "name">) {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name, labels: { "kubernetes.io/service-name": service } },
    addressType: "IPv4",
    ports: [{ name: "http", port, protocol: "TCP" }],
    endpoints,
  };
}

function toObject(service: string, { name, port, nodes }: Slice): unknown {
  const endpoints = nodes.map(({ id, host, zone }) => ({
    addresses: [host],
    conditions: { ready: true },
    targetRef: { kind: "Pod", name: id },
    ...(zone !== undefined && { zone }),
  }));
  return toBareSlice(service, name, { port, endpoints });
}

/** Returns the node as a Kubernetes provider lists it: an EndpointSlice has only these fields. */
export function asSeenByKubernetes({ id, host, port, zone }: ClusterNodeInput): ClusterNodeInput {
  return { id, host, port, zone };
}
