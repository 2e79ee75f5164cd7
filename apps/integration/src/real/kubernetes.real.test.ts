import { CountingClock, createSeededRandom, providerConformance } from "@holdfast/conformance";
import { createKubernetesAdapter } from "@holdfast/provider-kubernetes";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { describeReal } from "./backends.ts";
import { asSeenByKubernetes } from "./kubernetes-api.ts";
import { KubernetesServer, READER_TOKEN } from "./kubernetes-server.ts";
import { TcpProxy } from "./tcp-proxy.ts";
import { createRealProvider, failureOf, probe, shows, time, watch } from "./watched-real.ts";

const node = (id: string, port = 80) => ({ id, host: "10.0.0.1", port });
let services = 0;
const nextService = () => `web-${++services}`;

describeReal("a Kubernetes API server", ["kube-api"], () => {
  let server: KubernetesServer;
  const open: AsyncDisposable[] = [];

  beforeAll(async () => {
    server = await KubernetesServer.start();
  });
  afterEach(async () => {
    for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]();
  });
  afterAll(() => server[Symbol.asyncDispose]());

  const access = (address = server.address) => ({
    server: address,
    caFile: server.caFile,
    token: { file: server.adminTokenFile },
    namespace: "default",
  });

  function provide(service: string, params: Readonly<Record<string, unknown>> = {}) {
    const provider = createRealProvider("kubernetes", { ...access(), service, ...params });
    open.push(provider);
    return provider;
  }

  describe("passes the conformance suite", () => {
    // R2.1 R2.2 R6.2
    providerConformance({
      describe,
      test,
      harness: {
        lacks: ["endStream"],
        async setup() {
          const service = nextService();
          const clock = new CountingClock();
          const proxy = await TcpProxy.listen(server.address);
          const adapter = createKubernetesAdapter();
          const params = adapter.params.parse({ ...access(proxy.address), service });
          const heartbeatMs = 2_500;
          const provider = adapter.create(
            { id: "test", kind: "kubernetes", priority: 1, params },
            { clock, random: createSeededRandom(1), heartbeatMs },
          );
          return {
            provider,
            heartbeatMs,
            time,
            asSeen: asSeenByKubernetes,
            publish: (nodes) => server.api.publish(service, nodes),
            breakBackend: () => proxy.refuse(),
            hangBackend: () => proxy.hang(),
            repairBackend: () => proxy.pass(),
            countOpen: () => clock.pendingTimers,
            async teardown() {
              await provider[Symbol.asyncDispose]();
              await proxy[Symbol.asyncDispose]();
              await server.api.publish(service, []);
            },
          };
        },
      },
    });
  });

  test("is watched: slices that come, change and go", async () => {
    // R2.1
    const service = nextService();
    const provider = provide(service);
    expect(await probe(provider)).toBeUndefined();
    const recording = watch(provider);
    await shows(recording);
    await server.api.publish(service, [node("a"), node("b", 81)]);
    await shows(recording, "a", "b");
    await server.api.publish(service, [node("b", 81), node("c", 81)]);
    await shows(recording, "b", "c");
    recording.abort();
  });

  test("forgets versions: the watch lists again, and nothing is missed", async () => {
    // R5.6: a Kubernetes 410 Gone.
    const service = nextService();
    await server.api.publish(service, [node("a")]);
    const provider = provide(service);
    await shows(watch(provider), "a");
    await server.apiServer.kill();
    const down = watch(provider);
    expect((await failureOf(down)).code).toBe("CONNECTIVITY_REFUSED");
    await server.apiServer.start();
    await server.api.publish(service, [node("a"), node("b")]);
    await server.compact();
    const after = watch(provider);
    await shows(after, "a", "b");
    await server.api.publish(service, [node("b")]);
    await shows(after, "b");
    after.abort();
  });

  test("is asked only what RBAC allows, and says when it does not", async () => {
    // R1.4
    const service = nextService();
    await server.api.publish(service, [node("a")]);
    process.env["HOLDFAST_TEST_READER"] = READER_TOKEN;
    const provider = provide(service, { token: { env: "HOLDFAST_TEST_READER" } });
    expect(await probe(provider)).toMatchObject({
      code: "CONNECTIVITY_UNAUTHORIZED",
      details: { status: 403 },
    });
    const rbac = "/apis/rbac.authorization.k8s.io/v1/namespaces/default";
    await server.api.call("POST", `${rbac}/roles`, {
      metadata: { name: "reader" },
      rules: [{ apiGroups: ["discovery.k8s.io"], resources: ["endpointslices"], verbs: ["list", "watch"] }],
    });
    const binding = {
      metadata: { name: "reader" },
      roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "reader" },
      subjects: [{ kind: "User", apiGroup: "rbac.authorization.k8s.io", name: "reader" }],
    };
    await server.api.call("POST", `${rbac}/rolebindings`, binding);
    await time.advance(1_000);
    const allowed = watch(provider);
    await shows(allowed, "a");
    await server.api.call("DELETE", `${rbac}/rolebindings/reader`);
    expect(await failureOf(allowed)).toMatchObject({ code: "CONNECTIVITY_UNAUTHORIZED" });
    await server.api.call("POST", `${rbac}/rolebindings`, binding);
    await time.advance(1_000);
    await shows(watch(provider), "a");
    const { token: _, ...anonymous } = access();
    process.env["HOLDFAST_TEST_READER"] = "nobody";
    expect(
      await probe(
        createRealProvider("kubernetes", { ...anonymous, service, token: { env: "HOLDFAST_TEST_READER" } }),
      ),
    ).toMatchObject({
      code: "CONNECTIVITY_UNAUTHORIZED",
      details: { status: 401 },
    });
  });

  test("is not trusted without its certificate", async () => {
    const { caFile: _, ...rest } = access();
    const provider = createRealProvider("kubernetes", { ...rest, service: "web" });
    open.push(provider);
    expect(await probe(provider)).toMatchObject({ code: "CONNECTIVITY_TLS" });
  });

  test("that is frozen gives no sign of life, and goes on when it thaws", async () => {
    // R2.6 R5.6
    const service = nextService();
    await server.api.publish(service, [node("a")]);
    const recording = watch(provide(service));
    await shows(recording, "a");
    server.apiServer.freeze();
    try {
      await time.advance(500);
      const before = recording.events.length;
      await time.advance(2_000);
      expect(recording.events.length).toBe(before);
    } finally {
      server.apiServer.thaw();
    }
    await server.api.publish(service, [node("a"), node("b")]);
    await shows(recording, "a", "b");
    recording.abort();
  });

  test("with 5,000 members in 50 slices shows all of them, and one change as one", async () => {
    const service = nextService();
    const slices = Array.from({ length: 50 }, (_, s) => ({
      name: `${service}-${s}`,
      port: 80,
      nodes: Array.from({ length: 100 }, (__, i) => node(`pod-${s * 100 + i}`)),
    }));
    await server.api.publishSlices(service, slices);
    const recording = watch(provide(service));
    const all = await recording.waitFor("all of them", () =>
      recording.snapshots.find(({ members }) => members.size === 5_000),
    );
    const moved = slices.map((slice) => ({
      ...slice,
      nodes: slice.nodes.map((each) => (each.id === "pod-2500" ? { ...each, host: "10.0.0.2" } : each)),
    }));
    await server.api.publishSlices(service, moved);
    const changed = await recording.waitFor("the change", () =>
      recording.snapshots.find(({ members }) => members.get("pod-2500")?.host === "10.0.0.2"),
    );
    expect([...changed.members].filter((each) => all.members.get(each.id) === each)).toHaveLength(4_999);
    recording.abort();
  });
});
