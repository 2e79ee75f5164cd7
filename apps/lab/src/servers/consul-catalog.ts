import { Agent, request } from "undici";
import type { ClusterNodeInput } from "@holdfast/core";

export interface ConsulAccess {
  readonly address: string;
  readonly token?: string | undefined;
  /** PEM of the only trusted certificate authority. */
  readonly ca?: string | undefined;
}

/** Registers services directly in Consul's catalog, so that no agent reverts the changes. */
export class ConsulCatalog {
  readonly #address: string;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #dispatcher: Agent;
  /** The registered ids of each service. */
  readonly #registered = new Map<string, Set<string>>();

  constructor({ address, token, ca }: ConsulAccess) {
    this.#address = address;
    this.#headers = token === undefined ? {} : { "x-consul-token": token };
    this.#dispatcher = new Agent({ allowH2: false, ...(ca !== undefined && { connect: { ca } }) });
  }

  /** Sends one request to Consul's HTTP API; rejects for every status except 200. */
  async call(method: "GET" | "PUT" | "DELETE", path: string, body?: unknown): Promise<unknown> {
    const response = await request(this.#address + path, {
      method,
      dispatcher: this.#dispatcher,
      headers: this.#headers,
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    const text = await response.body.text();
    if (response.statusCode === 200) return text === "" ? undefined : JSON.parse(text);
    throw new Error(`${method} ${path} returned ${response.statusCode}: ${text}`);
  }

  async hasLeader(): Promise<boolean> {
    return (await this.call("GET", "/v1/status/leader")) !== "";
  }

  async register(service: string, node: ClusterNodeInput): Promise<void> {
    const { id, host, port, zone, weight, tags = [], metadata } = node;
    this.#idsOf(service).add(id);
    await this.call("PUT", "/v1/catalog/register", {
      Node: nodeOf(service, id),
      Address: host,
      NodeMeta: zone === undefined ? {} : { zone },
      Service: {
        ID: id,
        Service: service,
        Port: port,
        Tags: tags,
        Meta: metadata ?? {},
        ...(weight !== undefined && { Weights: { Passing: weight, Warning: 1 } }),
      },
      Check: { Name: "test", Status: "passing", ServiceID: id },
    });
  }

  async deregister(service: string, id: string): Promise<void> {
    this.#idsOf(service).delete(id);
    await this.call("PUT", "/v1/catalog/deregister", { Node: nodeOf(service, id) });
  }

  /** Replaces the whole content of the service. */
  async publish(service: string, nodes: readonly ClusterNodeInput[]): Promise<void> {
    const wanted = new Map(nodes.map((node) => [node.id, node]));
    const gone = [...this.#idsOf(service)].filter((id) => !wanted.has(id));
    // Added first, so that no intermediate state equals an earlier one.
    await inBatches([...wanted.values()], (node) => this.register(service, node));
    await inBatches(gone, (id) => this.deregister(service, id));
  }

  /** Deregisters everything that it registered. */
  async clear(): Promise<void> {
    for (const service of this.#registered.keys()) await this.publish(service, []);
  }

  /** Call after the restart of an agent in development mode, which has lost its registrations. */
  forget(): void {
    this.#registered.clear();
  }

  close(): Promise<void> {
    return this.#dispatcher.destroy();
  }

  #idsOf(service: string): Set<string> {
    const ids = this.#registered.get(service) ?? new Set();
    this.#registered.set(service, ids);
    return ids;
  }
}

/** Each instance has a separate node, so that it can have a separate zone and address. */
function nodeOf(service: string, id: string): string {
  return `${service}-${id}`;
}

async function inBatches<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
  for (let i = 0; i < items.length; i += 50) await Promise.all(items.slice(i, i + 50).map(work));
}

/** Returns the node as a Consul provider lists it: without a weight, or with weight 0, it has weight 1. */
export function asSeenByConsul(node: ClusterNodeInput): ClusterNodeInput {
  return { ...node, weight: node.weight === 0 ? 1 : (node.weight ?? 1) };
}
