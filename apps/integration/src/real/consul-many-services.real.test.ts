import { readFile } from "node:fs/promises";
import { sleep, systemClock, type TopologyName } from "@holdfast/core";
import { consul } from "@holdfast/provider-consul";
import { createSeededRandom } from "@holdfast/testing";
import { ConsulAgent, countConnections, eventually } from "@holdfast-apps/lab";
import { describeReal } from "@holdfast-apps/lab/describe-real";
import { Directory } from "holdfast";
import { expect, test } from "vitest";

const SERVICES = Number(process.env["HOLDFAST_SERVICES"] ?? 1_000);
const nameOf = (i: number) => `service-${i}`;
const node = (id: string, port = 80) => ({ id, host: "10.0.0.1", port, tags: ["holdfast"] });

/** Registers services with one instance each, with few connections. */
async function registerAll({ catalog }: ConsulAgent, count: number): Promise<void> {
  const next = Array.from({ length: count }, (_, i) => nameOf(i)).values();
  await Promise.all(
    Array.from({ length: 8 }, async () => {
      for (const name of next) await catalog.register(name, node("a"));
    }),
  );
}

/** Starts a directory with a topology for each service that has the tag. */
async function discover({ address }: ConsulAgent, warnings: string[] = []): Promise<Directory> {
  const directory = new Directory({ adapters: [consul.createAdapter()] });
  directory.on("warning", ({ code, message }) => warnings.push(`${code}: ${message}`));
  const addresses = [address];
  await directory.start({
    topologies: [],
    discoveries: [
      {
        sources: [{ kind: "consul", params: { addresses, tag: "holdfast" } }],
        providers: [
          {
            id: "consul",
            kind: "consul",
            priority: 1,
            params: { addresses, service: "{service}", nodeId: "service-id" },
          },
        ],
        removeAfterMs: 1_000,
      },
    ],
  });
  return directory;
}

const portsOf = (directory: Directory, name: TopologyName) =>
  Array.from(directory.find(name)?.state.snapshot?.members ?? [], ({ port }) => port).join();

/** The topologies that are not ready. */
const notReady = (directory: Directory) =>
  directory.names().filter((name) => {
    const { status, isStale } = directory.topology(name).state;
    return status !== "ready" || isStale;
  });

async function until(isTrue: () => boolean, withinMs: number, describe: () => string): Promise<number> {
  const startedAt = systemClock.monotonic();
  while (!isTrue()) {
    if (systemClock.monotonic() - startedAt > withinMs)
      throw new Error(`not within ${withinMs} ms: ${describe()}`);
    await sleep(5, { clock: systemClock });
  }
  return systemClock.monotonic() - startedAt;
}

/** Samples the connections of the agent until it is disposed of. */
class ConnectionPeak implements AsyncDisposable {
  peak = 0;
  readonly #stop = new AbortController();
  readonly #done: Promise<void>;

  constructor({ address }: ConsulAgent) {
    this.#done = this.#sample(Number(new URL(address).port));
  }

  async #sample(port: number): Promise<void> {
    while (!this.#stop.signal.aborted) {
      this.peak = Math.max(this.peak, await countConnections(port));
      await sleep(20, { clock: systemClock });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }
}

/** The CPU time of a process in milliseconds, at 100 ticks per second. */
async function cpuMsOf(pid: number | undefined): Promise<number> {
  const text = await readFile(`/proc/${pid}/stat`, "utf8");
  const [, , , , , , , , , , , user, system] = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(user) + Number(system)) * 10;
}

/** Measures the CPU time of the agent and of this process, as a part of one core. */
async function measureCpu({ process: agent }: ConsulAgent, forMs: number): Promise<string> {
  const before = await cpuMsOf(agent.pid);
  const own = process.cpuUsage();
  await sleep(forMs, { clock: systemClock });
  const { user, system } = process.cpuUsage(own);
  const percent = (ms: number) => `${((100 * ms) / forMs).toFixed(1)} %`;
  return `agent ${percent((await cpuMsOf(agent.pid)) - before)}, client ${percent((user + system) / 1_000)}`;
}

function describeTimes(times: readonly number[]): string {
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)]!);
  return `median ${at(0.5)} ms, p90 ${at(0.9)} ms, max ${at(1)} ms`;
}

describeReal("a Consul agent with many services", ["consul program"], () => {
  // R7.1 R7.2
  test(`of ${SERVICES} discovered topologies each is ready, sees its changes, and recovers from a kill of the agent`, async () => {
    await using agent = await ConsulAgent.start({ isDurable: true });
    await registerAll(agent, SERVICES);
    await using connections = new ConnectionPeak(agent);
    const warnings: string[] = [];
    await using directory = await discover(agent, warnings);
    const behind = (port: number) =>
      directory.names().filter((name) => portsOf(directory, name) !== String(port));
    const readyMs = await until(
      () => directory.names().length === SERVICES && notReady(directory).length === 0,
      45_000,
      () => `${directory.names().length} topologies, not ready: ${notReady(directory).length}`,
    );
    const cpu = await measureCpu(agent, 10_000);

    // A change of one service at a time.
    const single: number[] = [];
    const random = createSeededRandom(1);
    for (let i = 0; i < 40; i++) {
      const name = nameOf(Math.floor(random() * SERVICES));
      await agent.catalog.register(name, node("a", 81 + i));
      single.push(
        await until(
          () => portsOf(directory, name) === String(81 + i),
          10_000,
          () => name,
        ),
      );
      await sleep(random() * 500, { clock: systemClock });
    }
    console.log(
      `${SERVICES} services: all ready after ${Math.round(readyMs)} ms; without changes: ${cpu} of a core; a change is seen after: ${describeTimes(single)}`,
    );
    expect(warnings).toEqual([]);

    await agent.process.kill();
    await until(
      () => notReady(directory).length === SERVICES,
      30_000,
      () => `ready: ${SERVICES - notReady(directory).length}`,
    );
    await agent.process.start();
    const restartedAt = systemClock.monotonic();
    for (let i = 0; i < SERVICES; i += 10) await agent.catalog.register(nameOf(i), node("a", 9_000));
    await until(
      () => notReady(directory).length === 0,
      60_000,
      () => `not ready: ${notReady(directory).length}`,
    );
    const recoveredMs = systemClock.monotonic() - restartedAt;
    await until(
      () => behind(9_000).length <= SERVICES * 0.9,
      10_000,
      () => `behind: ${behind(9_000).length}`,
    );
    console.log(
      `all ready again ${Math.round(recoveredMs)} ms after a restart of the agent; at most ${connections.peak} connections`,
    );
    expect(directory.names()).toHaveLength(SERVICES);
    // The limit of Consul. The connections of this test are included.
    expect(connections.peak).toBeLessThan(200);
  }, 240_000);

  test("that starts again without its data removes no topology, and finds new ones", async () => {
    await using agent = await ConsulAgent.start();
    for (const name of ["orders", "billing", "cart"]) await agent.catalog.register(name, node("a"));
    await agent.catalog.register("other", { ...node("a"), tags: ["v1"] });
    await using directory = await discover(agent);
    await eventually(() => expect(directory.names()).toEqual(["billing", "cart", "orders"]));
    // An ordinary removal of one service.
    await agent.catalog.deregister("cart", "a");
    await eventually(() => expect(directory.names()).toEqual(["billing", "orders"]));

    await agent.process.kill();
    agent.catalog.forget();
    await agent.process.start();
    await agent.catalog.register("search", node("a"));
    await eventually(() => expect(directory.names()).toEqual(["billing", "orders", "search"]));
    await sleep(3_000, { clock: systemClock });
    expect(directory.names()).toEqual(["billing", "orders", "search"]);
    await agent.catalog.register("orders", node("b", 81));
    await eventually(() => expect(portsOf(directory, "orders")).toBe("81"));
    expect(directory.names()).toEqual(["billing", "orders", "search"]);
  });
});
