import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ADMIN_TOKEN, ConsulAgent, KubernetesServer } from "@holdfast-apps/lab";
import { MARKER, type Target } from "./contender.ts";

/** A service on a real backend. One of its members, the marker, changes. */
export interface BenchBackend extends AsyncDisposable {
  readonly target: Target;
  /** The address of its API, for a proxy between contender and backend. */
  readonly origin: string;
  /** The same service, reached through a proxy at `origin`. */
  through(origin: string): Promise<Target>;
  /** Sets the port of the marker. Resolves when the backend has stored it. */
  mark(port: number): Promise<void>;
  /** Writes this number of members, including the marker. */
  fill(members: number): Promise<void>;
}

const SERVICE = "bench";
const SLICE = 100;
const memberOf = (i: number) => ({
  id: `member-${i}`,
  host: `10.${i >> 16}.${(i >> 8) & 255}.${i & 255}`,
  port: 80,
});

export async function openConsul(): Promise<BenchBackend> {
  const agent = await ConsulAgent.start();
  const mark = (port: number) => agent.catalog.register(SERVICE, { id: MARKER, host: "10.0.0.1", port });
  return {
    origin: agent.address,
    target: { backend: "consul", address: agent.address, service: SERVICE },
    through: (address) => Promise.resolve({ backend: "consul", address, service: SERVICE }),
    mark,
    async fill(members) {
      const rest = Array.from({ length: members - 1 }, (_, i) => memberOf(i));
      await agent.catalog.publish(SERVICE, [...rest, { id: MARKER, host: "10.0.0.1", port: 1 }]);
    },
    [Symbol.asyncDispose]: () => agent[Symbol.asyncDispose](),
  };
}

function markerSlice(port: number): unknown {
  return {
    apiVersion: "discovery.k8s.io/v1",
    kind: "EndpointSlice",
    metadata: { name: MARKER, labels: { "kubernetes.io/service-name": SERVICE } },
    addressType: "IPv4",
    ports: [{ name: "http", port, protocol: "TCP" }],
    endpoints: [
      { addresses: ["10.0.0.1"], conditions: { ready: true }, targetRef: { kind: "Pod", name: MARKER } },
    ],
  };
}

export async function openKubernetes(): Promise<BenchBackend> {
  const server = await KubernetesServer.start();
  const folder = await mkdtemp(join(tmpdir(), "holdfast-bench-"));
  const ca = (await readFile(server.caFile)).toString("base64");
  const targetOf = async (name: string, cluster: Readonly<Record<string, unknown>>): Promise<Target> => {
    const kubeconfig = join(folder, name);
    const config = {
      clusters: [{ name: "c", cluster }],
      users: [{ name: "u", user: { token: ADMIN_TOKEN } }],
      contexts: [{ name: "x", context: { cluster: "c", user: "u", namespace: "default" } }],
      "current-context": "x",
    };
    await writeFile(kubeconfig, JSON.stringify(config));
    return { backend: "kubernetes", kubeconfig, namespace: "default", service: SERVICE };
  };
  const base = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";
  await server.api.call("POST", base, markerSlice(1));
  let proxies = 0;
  return {
    origin: server.address,
    target: await targetOf("direct", { server: server.address, "certificate-authority-data": ca }),
    through: (origin) => targetOf(`proxy-${++proxies}`, { server: origin, "insecure-skip-tls-verify": true }),
    async mark(port) {
      await server.api.call("PUT", `${base}/${MARKER}`, markerSlice(port));
    },
    async fill(members) {
      const rest = Array.from({ length: members - 1 }, (_, i) => memberOf(i));
      const slices = Array.from({ length: Math.ceil(rest.length / SLICE) }, (_, s) => ({
        name: `${SERVICE}-${s}`,
        port: 80,
        nodes: rest.slice(s * SLICE, (s + 1) * SLICE),
      }));
      await server.api.publishSlices(SERVICE, slices);
    },
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
