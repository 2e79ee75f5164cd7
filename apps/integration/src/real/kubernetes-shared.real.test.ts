import { createSeededRandom } from "@holdfast/testing";
import {
  sleep,
  systemClock,
  type ClusterProvider,
  type DiscoveryEvent,
  type ServiceDiscovery,
} from "@holdfast/core";
import { kubernetes } from "@holdfast/provider-kubernetes";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { describeReal } from "@holdfast-apps/lab/describe-real";
import {
  eventually,
  type GatewayResponse,
  HttpGateway,
  KubernetesServer,
  uniqueName,
} from "@holdfast-apps/lab";

const SERVICES = 200;
const LABEL = "kubernetes.io/service-name";

const node = (id: string) => ({ id, host: "10.0.0.1", port: 80 });
const isWatch = ({ url }: GatewayResponse) => url.includes("watch=1");
const isCheck = ({ url }: GatewayResponse) => url.includes("fieldSelector=");
const isGone = ({ status, body }: GatewayResponse) => status === 410 || body.includes(`"code":410`);

const random = createSeededRandom(2);

/** Watches a provider or a discovery again after each error, as failover and a directory do. */
class Followed<E extends { readonly type: string }> implements AsyncDisposable {
  readonly events: E[] = [];
  failures = 0;
  readonly #stop = new AbortController();
  readonly #over: Promise<void>;

  constructor(watch: (signal: AbortSignal) => AsyncIterable<E>) {
    this.#over = this.#run(watch);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#over;
  }

  async #run(watch: (signal: AbortSignal) => AsyncIterable<E>): Promise<void> {
    const { signal } = this.#stop;
    while (!signal.aborted) {
      try {
        for await (const event of watch(signal)) this.events.push(event);
      } catch {
        this.failures++;
        await sleep(random() * 1_000, { clock: systemClock, signal }).catch(() => undefined);
      }
    }
  }
}

// R7.1 R7.2
describeReal("many Services of a Kubernetes API server", ["kube-api program"], () => {
  let server: KubernetesServer;
  let gateway: HttpGateway;
  let namespace: string;
  let adapter = kubernetes.createAdapter();
  const open: AsyncDisposable[] = [];

  beforeAll(async () => {
    server = await KubernetesServer.start();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  async function begin(): Promise<void> {
    namespace = uniqueName();
    adapter = kubernetes.createAdapter();
    await server.api.call("POST", "/api/v1/namespaces", { metadata: { name: namespace } });
    gateway = await HttpGateway.listen(server.api.access);
    open.push(gateway);
  }
  afterEach(async () => {
    for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]();
  });

  const context = { clock: systemClock, random: createSeededRandom(1), heartbeatMs: 5_000 };

  function provide(service: string): ClusterProvider {
    const params = adapter.params.parse({ server: gateway.address, namespace, service });
    const provider = adapter.create({ id: service, kind: "kubernetes", priority: 1, params }, context);
    open.push(provider);
    return provider;
  }

  function discover(): ServiceDiscovery {
    const params: unknown = adapter.discovery!.params.parse({
      server: gateway.address,
      namespace,
      selector: "holdfast=yes",
    });
    const discovery = adapter.discovery!.create(params, context);
    open.push(discovery);
    return discovery;
  }

  /** Creates Services with one endpoint, and follows a provider for each of them. */
  async function followAll() {
    const names = Array.from({ length: SERVICES }, (_, i) => `svc-${i}`);
    for (const name of names) await server.api.publish(name, [node(`${name}-a`)], namespace);
    const all = names
      .map((name) => [name, provide(name)] as const)
      .map(([name, provider]) => {
        const followed = new Followed((signal) => provider.watch({ signal }));
        open.push(followed);
        return {
          name,
          followed,
          get snapshots() {
            return followed.events.flatMap((event) => (event.type === "snapshot" ? [event.snapshot] : []));
          },
          get ids() {
            return Array.from(this.snapshots.at(-1)?.members ?? [], ({ id }) => id).join();
          },
        };
      });
    const expected = new Map(names.map((name) => [name, `${name}-a`]));
    const show = () =>
      eventually(() => expect(all.filter(({ name, ids }) => ids !== expected.get(name))).toEqual([]));
    /** Changes the endpoint of a Service. */
    const change = async (name: string, ...ids: readonly string[]) => {
      expected.set(name, ids.join());
      await server.api.publish(name, ids.map(node), namespace);
    };
    await show();
    return { all, show, change };
  }

  /** The lists that reached the server, without their further pages. */
  const lists = () =>
    gateway.responses.filter(
      (each) =>
        !isWatch(each) && !isCheck(each) && !each.url.includes("continue=") && each.url.includes("limit="),
    );

  /** The number of watches of EndpointSlices in the namespace, as the server counts them. */
  async function countWatches(): Promise<number> {
    const metrics = String(await server.api.call("GET", "/metrics"));
    const line = new RegExp(
      `^apiserver_longrunning_requests\\{.*resource="endpointslices".*scope="namespace".*verb="WATCH".*\\} (\\d+)$`,
      "m",
    );
    return Number(line.exec(metrics)?.[1] ?? 0);
  }

  test("200 providers use one list and one watch, and a change reaches only its provider", async () => {
    await begin();
    const { all, show, change } = await followAll();
    expect(lists().map(({ url }) => new URL(url, "http://x").searchParams.get("labelSelector"))).toEqual([
      LABEL,
    ]);
    await eventually(async () => expect(await countWatches()).toBe(1));
    expect(gateway.connections).toBe(1);
    const before = all.map(({ snapshots }) => snapshots.length);
    for (let i = 0; i < 20; i++) await change(`svc-${i}`, `svc-${i}-a`, `svc-${i}-b`);
    await show();
    expect(all.map(({ snapshots }, i) => snapshots.length - before[i]!)).toEqual(
      all.map((_, i) => (i < 20 ? 1 : 0)),
    );
    // Without changes there is a watch and a check of the storage every few seconds, not 200 of them.
    gateway.responses.length = 0;
    await sleep(10_000, { clock: systemClock });
    expect(gateway.responses.length).toBeLessThan(12);
    for (const { followed } of all) {
      expect(followed.failures).toBe(0);
      expect(followed.events.filter(({ type }) => type === "heartbeat").length).toBeGreaterThan(1);
    }
  });

  test("200 providers continue after the server was killed and started again, without a loss or an empty snapshot", async () => {
    // R5.6
    await begin();
    const { all, show, change } = await followAll();
    await eventually(() => expect(gateway.responses.some(isWatch)).toBe(true));
    await server.apiServer.kill();
    await eventually(() => expect(all.filter(({ followed }) => followed.failures === 0)).toEqual([]));
    await server.apiServer.start();
    gateway.responses.length = 0;
    await change("svc-7", "svc-7-b");
    await change("svc-8", "svc-8-a", "svc-8-b");
    await show();
    for (const { snapshots } of all) expect(snapshots.every(({ members }) => members.size > 0)).toBe(true);
    expect(lists().length).toBeLessThanOrEqual(1);
    await change("svc-9", "svc-9-b");
    await show();
  });

  test("an expired version leads to one list for 200 providers, within the same watches", async () => {
    // R5.6: 410 Gone of Kubernetes.
    await begin();
    const { all, show, change } = await followAll();
    await eventually(() => expect(gateway.responses.some(isWatch)).toBe(true));
    gateway.hold();
    await eventually(() => expect(gateway.waiting).toBe(1));
    await change("svc-7", "svc-7-b");
    await change("svc-8", "svc-8-a", "svc-8-b");
    await server.compact();
    gateway.responses.length = 0;
    gateway.release();
    await show();
    expect(gateway.responses.some(isGone)).toBe(true);
    expect(lists()).toHaveLength(1);
    for (const [i, { followed, snapshots }] of all.entries()) {
      expect(followed.failures).toBe(0);
      expect(snapshots).toHaveLength(i === 7 || i === 8 ? 2 : 1);
    }
  });

  /** Follows a discovery. `shows` waits until its last list has exactly these names. */
  function followDiscovery() {
    const discovery = discover();
    const followed = new Followed<DiscoveryEvent>((signal) => discovery.services({ signal }));
    open.push(followed);
    const found = () => followed.events.flatMap((event) => (event.type === "services" ? [event] : []));
    const shows = (...names: readonly string[]) =>
      eventually(() =>
        expect(
          found()
            .at(-1)
            ?.services.map(({ name }) => name),
        ).toEqual(names),
      );
    return { followed, found, shows };
  }

  const createService = (name: string, labels: Readonly<Record<string, string>> = { holdfast: "yes" }) =>
    server.api.call("POST", `/api/v1/namespaces/${namespace}/services`, {
      metadata: { name, labels },
      spec: { ports: [{ port: 80 }], clusterIP: "None" },
    });

  const deleteService = (name: string) =>
    server.api.call("DELETE", `/api/v1/namespaces/${namespace}/services/${name}`);

  test("a discovery finds Services by label, over a restart of the server and an expired version", async () => {
    await begin();
    for (const name of ["orders", "billing"]) await createService(name);
    await createService("internal", {});
    const { followed, found, shows } = followDiscovery();
    await shows("billing", "orders");
    expect(found()[0]?.services[0]).toEqual({ name: "billing", values: { namespace } });
    await createService("catalog");
    await shows("billing", "catalog", "orders");
    await deleteService("billing");
    await shows("catalog", "orders");
    await eventually(() => expect(followed.events.at(-1)?.type).toBe("heartbeat"));

    await server.apiServer.restart();
    await createService("search");
    await shows("catalog", "orders", "search");
    expect(followed.failures).toBeGreaterThan(0);

    gateway.hold();
    await eventually(() => expect(gateway.waiting).toBe(1));
    await deleteService("search");
    await createService("users");
    await server.compact();
    gateway.release();
    await shows("catalog", "orders", "users");
    expect(gateway.responses.some(isGone)).toBe(true);
    expect(found().every(({ isReset }) => isReset === undefined)).toBe(true);
  });

  test("a discovery marks the list of a server that lost its data", { timeout: 120_000 }, async () => {
    await begin();
    for (const name of ["orders", "billing"]) await createService(name);
    const { found, shows } = followDiscovery();
    await shows("billing", "orders");
    await server.loseData();
    await shows();
    expect(found().at(-1)?.isReset).toBe(true);
    await server.api.call("POST", "/api/v1/namespaces", { metadata: { name: namespace } });
    await createService("orders");
    await shows("orders");
    expect(found().at(-1)?.isReset).toBeUndefined();
  });
});
