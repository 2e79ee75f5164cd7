import type { ClusterNodeInput } from "@holdfast/core";
import { Agent, request } from "undici";

/** An EndpointSlice as a controller writes it. */
export interface Slice {
  readonly name: string;
  readonly port: number;
  readonly nodes: readonly Pick<ClusterNodeInput, "id" | "host" | "zone">[];
}

export interface KubernetesAccess {
  readonly address: string;
  readonly headers: Readonly<Record<string, string>>;
  /** What Node's TLS takes: `ca`, `cert`, `rejectUnauthorized`, ... */
  readonly tls: Readonly<Record<string, unknown>>;
}

/** Writes what the tests watch. */
export class KubernetesApi {
  readonly access: KubernetesAccess;
  readonly #dispatcher: Agent;
  /** Namespace and service → the name and text of each slice. */
  readonly #published = new Map<string, Map<string, string>>();

  constructor(access: KubernetesAccess) {
    this.access = access;
    this.#dispatcher = new Agent({ connect: access.tls, allowH2: false });
  }

  /** One request; rejects for anything but success. */
  async call(method: "GET" | "POST" | "PUT" | "DELETE", path: string, body?: unknown): Promise<unknown> {
    const response = await request(this.access.address + path, {
      method,
      dispatcher: this.#dispatcher,
      headers: { ...this.access.headers, "content-type": "application/json" },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.body.text();
    if (response.statusCode < 300) return text.startsWith("{") ? JSON.parse(text) : text;
    throw new Error(`${method} ${path} was answered with ${response.statusCode}: ${text}`);
  }

  async isReady(): Promise<boolean> {
    return (await this.call("GET", "/readyz")) === "ok";
  }

  /** Makes these the service's whole content: one slice for each port, as a slice has one for all of its endpoints. */
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
    const base = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
    const key = `${namespace}/${service}`;
    const before = this.#published.get(key) ?? new Map<string, string>();
    const after = new Map<string, string>();
    for (const slice of slices) {
      const object = toObject(service, slice);
      const text = JSON.stringify(object);
      after.set(slice.name, text);
      if (before.get(slice.name) === text) continue;
      if (before.has(slice.name)) await this.call("PUT", `${base}/${slice.name}`, object);
      else await this.call("POST", base, object);
    }
    for (const name of before.keys()) if (!after.has(name)) await this.call("DELETE", `${base}/${name}`);
    this.#published.set(key, after);
  }

  /** Closes its connections. */
  close(): Promise<void> {
    return this.#dispatcher.destroy();
  }
}

function toObject(service: string, { name, port, nodes }: Slice): unknown {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name, labels: { "kubernetes.io/service-name": service } },
    addressType: "IPv4",
    ports: [{ name: "http", port, protocol: "TCP" }],
    endpoints: nodes.map(({ id, host, zone }) => ({
      addresses: [host],
      conditions: { ready: true },
      targetRef: { kind: "Pod", name: id },
      ...(zone !== undefined && { zone }),
    })),
  };
}

/** What is left of a node that went through EndpointSlices. */
export function asSeenByKubernetes({ id, host, port, zone }: ClusterNodeInput): ClusterNodeInput {
  return { id, host, port, zone };
}
