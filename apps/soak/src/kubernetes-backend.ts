import { fieldOf, listOf } from "@holdfast/core/adapter";
import { KubernetesServer, type Slice, TcpProxy } from "@holdfast-apps/lab";
import type { Backend, Fault, FaultKind } from "./backend.ts";
import type { Population, SoakMember } from "./population.ts";

const SERVICE = "soak";
const NAMESPACE = "default";
/** The number of endpoints that the Kubernetes controllers put into one slice. */
const PLACES_PER_SLICE = 100;
const SLOW_CHUNK_MS = 250;

/** Starts etcd and a Kubernetes API server. The service connects to it with TLS through a TCP proxy. */
export async function startKubernetesBackend(population: Population): Promise<Backend> {
  await using started = new AsyncDisposableStack();
  const server = started.use(await KubernetesServer.start());
  const proxy = started.use(await TcpProxy.listen(server.address));
  const version = fieldOf(await server.api.call("GET", "/version"), "gitVersion");
  const owned = started.move();
  return {
    id: "kubernetes",
    version: `Kubernetes API server ${String(version)}`,
    params: { ...server.params(proxy.address), namespace: NAMESPACE, service: SERVICE },
    faults: faultsOf(server, proxy),
    // `publishSlices` compares with what it wrote last, and writes only the slices that changed.
    write: () => server.api.publishSlices(SERVICE, slicesOf(population), NAMESPACE),
    async list() {
      const path = `/apis/discovery.k8s.io/v1/namespaces/${NAMESPACE}/endpointslices`;
      return listOf(await server.api.call("GET", path), "items").flatMap(membersOf);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function faultsOf(server: KubernetesServer, proxy: TcpProxy): ReadonlyMap<FaultKind, Fault> {
  const end = () => proxy.pass();
  return new Map<FaultKind, Fault>([
    ["reset", { begin: () => proxy.cut("reset"), end }],
    ["fin", { begin: () => proxy.cut("fin"), end }],
    ["silence", { begin: () => proxy.hang(), end }],
    ["latency", { begin: () => proxy.slow(SLOW_CHUNK_MS), end }],
    ["refused", { begin: () => proxy.refuse(), end }],
    ["freeze", { begin: () => server.apiServer.freeze(), end: () => server.apiServer.thaw() }],
    ["kill", { begin: () => server.apiServer.kill(), end: () => server.apiServer.start() }],
  ]);
}

function slicesOf(population: Population): readonly Slice[] {
  return Array.from({ length: Math.ceil(population.places / PLACES_PER_SLICE) }, (_, index) => {
    const first = index * PLACES_PER_SLICE;
    const places = Array.from({ length: PLACES_PER_SLICE }, (__, i) => population.at(first + i));
    const nodes = places.filter((member) => member !== undefined);
    return { name: `${SERVICE}-${index}`, port: nodes[0]?.port ?? 1, nodes };
  });
}

function membersOf(slice: unknown): readonly SoakMember[] {
  const port = Number(fieldOf(listOf(slice, "ports")[0], "port"));
  return listOf(slice, "endpoints").map((endpoint) => ({
    id: String(fieldOf(fieldOf(endpoint, "targetRef"), "name")),
    host: String(listOf(endpoint, "addresses")[0]),
    port,
    zone: String(fieldOf(endpoint, "zone")),
  }));
}
