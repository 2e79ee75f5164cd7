import type { ClusterNodeInput } from "@holdfast/core";
import type { GatewayTarget } from "./http-gateway.ts";
import { openConsul } from "../servers/open-consul.ts";
import { openKubernetes } from "../servers/open-kubernetes.ts";

/** A server, with what a gateway that accepts plain HTTP needs to reach it. */
export interface Backend extends AsyncDisposable {
  readonly target: GatewayTarget;
  /** Replaces the whole content of the service. */
  publish(service: string, nodes: readonly ClusterNodeInput[]): Promise<void>;
  /** The parameters of a provider that connects to `address`. */
  params(address: string, service: string): Readonly<Record<string, unknown>>;
}

async function openConsulBackend(): Promise<Backend> {
  const { address, headers, ca, catalog, ...opened } = await openConsul();
  return {
    target: { address, headers, tls: ca === undefined ? {} : { ca } },
    publish: (service, nodes) => catalog.publish(service, nodes),
    params: (through, service) => ({ addresses: [through], service, nodeId: "service-id" }),
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

async function openKubernetesBackend(): Promise<Backend> {
  const { api, namespace, ...opened } = await openKubernetes();
  return {
    target: api.access,
    publish: (service, nodes) => api.publish(service, nodes, namespace),
    params: (through, service) => ({ server: through, namespace, service }),
    [Symbol.asyncDispose]: () => opened[Symbol.asyncDispose](),
  };
}

export type BackendKind = "consul" | "kubernetes";

/** Opens the user's server if the environment names one; otherwise starts one. */
export function openBackend(kind: BackendKind): Promise<Backend> {
  return kind === "consul" ? openConsulBackend() : openKubernetesBackend();
}
