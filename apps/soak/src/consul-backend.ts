import { fieldOf } from "@holdfast/core/adapter";
import { type Break, ConsulAgent, HttpGateway } from "@holdfast-apps/lab";
import type { Backend, Fault, FaultKind } from "./backend.ts";
import type { Population, SoakMember } from "./population.ts";

const SERVICE = "soak";
/** The number of service instances on one Consul node. */
const PLACES_PER_NODE = 50;
/** Consul accepts 64 operations in one transaction; a place may need two. */
const PLACES_PER_TRANSACTION = 30;
const LATENCY_MS = 1_500;
const ERROR = { kind: "response", status: 500, headers: {}, body: "rpc error: No cluster leader" } as const;

/** Starts a Consul agent that keeps its data on disk. The service connects to it through an HTTP gateway. */
export async function startConsulBackend(population: Population): Promise<Backend> {
  await using started = new AsyncDisposableStack();
  const agent = started.use(await ConsulAgent.start({ isDurable: true }));
  const gateway = started.use(await HttpGateway.listen({ address: agent.address, headers: {}, tls: {} }));
  const version = fieldOf(fieldOf(await agent.catalog.call("GET", "/v1/agent/self"), "Config"), "Version");
  const writer = new CatalogWriter(agent, population);
  const owned = started.move();
  return {
    id: "consul",
    version: `Consul ${String(version)}`,
    params: { addresses: [gateway.address], service: SERVICE, nodeId: "service-id" },
    faults: faultsOf(agent, gateway),
    write: (places) => writer.write(places),
    async list() {
      const entries = await agent.catalog.call("GET", `/v1/health/service/${SERVICE}?passing=1&consistent`);
      return (entries as readonly unknown[]).map(toMember);
    },
    [Symbol.asyncDispose]: () => owned.disposeAsync(),
  };
}

function faultsOf({ process }: ConsulAgent, gateway: HttpGateway): ReadonlyMap<FaultKind, Fault> {
  const end = () => gateway.pass();
  const cut = (by: Break): Fault => ({ begin: () => gateway.fail({ kind: "cut", by }), end });
  return new Map<FaultKind, Fault>([
    ["reset", cut("reset")],
    ["fin", cut("fin")],
    ["silence", { begin: () => gateway.fail({ kind: "silence" }), end }],
    ["latency", { begin: () => gateway.fail({ kind: "latency", ms: LATENCY_MS }), end }],
    ["errors", { begin: () => gateway.fail(ERROR), end }],
    ["freeze", { begin: () => process.freeze(), end: () => process.thaw() }],
    ["kill", { begin: () => process.kill(), end: () => process.start() }],
  ]);
}

type Operation = Readonly<Record<"Node" | "Service" | "Check", unknown>> | object;

class CatalogWriter {
  readonly #agent: ConsulAgent;
  readonly #population: Population;
  /** Place → the id that is registered for it. */
  readonly #registered = new Map<number, string>();
  readonly #nodes = new Set<number>();

  constructor(agent: ConsulAgent, population: Population) {
    this.#agent = agent;
    this.#population = population;
  }

  async write(places: Iterable<number>): Promise<void> {
    const all = [...places];
    for (let i = 0; i < all.length; i += PLACES_PER_TRANSACTION)
      await this.#transact(all.slice(i, i + PLACES_PER_TRANSACTION));
  }

  async #transact(places: readonly number[]): Promise<void> {
    const wanted = places.map((place) => [place, this.#population.at(place)] as const);
    const nodes = new Set(places.map(nodeOf).filter((node) => !this.#nodes.has(node)));
    const operations: Operation[] = [...nodes].flatMap(toNode);
    for (const [place, member] of wanted) {
      const before = this.#registered.get(place);
      if (before !== undefined && before !== member?.id)
        operations.push(toService("delete", place, { ID: before, Service: SERVICE }));
      if (member !== undefined) operations.push(toService("set", place, toInstance(member)));
    }
    await this.#agent.catalog.call("PUT", "/v1/txn", operations);
    for (const node of nodes) this.#nodes.add(node);
    for (const [place, member] of wanted) {
      if (member === undefined) this.#registered.delete(place);
      else this.#registered.set(place, member.id);
    }
  }
}

function nodeOf(place: number): number {
  return Math.floor(place / PLACES_PER_NODE);
}

function toNode(node: number): readonly Operation[] {
  const Node = `machine-${node}`;
  const Address = `10.255.${node >> 8}.${node & 255}`;
  return [
    { Node: { Verb: "set", Node: { Node, Address } } },
    { Check: { Verb: "set", Check: { Node, CheckID: "alive", Name: "alive", Status: "passing" } } },
  ];
}

function toService(verb: "set" | "delete", place: number, Service: object): Operation {
  return { Service: { Verb: verb, Node: `machine-${nodeOf(place)}`, Service } };
}

function toInstance({ id, host, port, zone }: SoakMember): object {
  return { ID: id, Service: SERVICE, Address: host, Port: port, Meta: { zone } };
}

function toMember(entry: unknown): SoakMember {
  const service = fieldOf(entry, "Service");
  return {
    id: String(fieldOf(service, "ID")),
    host: String(fieldOf(service, "Address")),
    port: Number(fieldOf(service, "Port")),
    zone: String(fieldOf(fieldOf(service, "Meta"), "zone")),
  };
}
