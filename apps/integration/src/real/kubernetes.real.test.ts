import { CountingClock, createSeededRandom, providerConformance } from "@holdfast/conformance";
import { createKubernetesAdapter } from "@holdfast/provider-kubernetes";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { describeReal } from "./backends.ts";
import { asSeenByKubernetes } from "./kubernetes-api.ts";
import { openKubernetes, type OpenKubernetes } from "./open-kubernetes.ts";
import { TcpProxy } from "./tcp-proxy.ts";
import { uniqueName } from "./unique-name.ts";
import { createRealProvider, probe, shows, time, watch } from "./watched-real.ts";

const node = (id: string, port = 80) => ({ id, host: "10.0.0.1", port });

describeReal("Kubernetes", ["kubernetes"], () => {
  let kubernetes: OpenKubernetes;
  const open: AsyncDisposable[] = [];

  beforeAll(async () => {
    kubernetes = await openKubernetes();
  });
  afterEach(async () => {
    for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]();
  });
  afterAll(() => kubernetes[Symbol.asyncDispose]());

  function provide(service: string) {
    const provider = createRealProvider("kubernetes", { ...kubernetes.params(kubernetes.address), service });
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
          const service = uniqueName();
          const clock = new CountingClock();
          const proxy = await TcpProxy.listen(kubernetes.address);
          const adapter = createKubernetesAdapter();
          const params = adapter.params.parse({ ...kubernetes.params(proxy.address), service });
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
            publish: (nodes) => kubernetes.api.publish(service, nodes, kubernetes.namespace),
            breakBackend: () => proxy.refuse(),
            hangBackend: () => proxy.hang(),
            repairBackend: () => proxy.pass(),
            countOpen: () => clock.pendingTimers,
            async teardown() {
              await provider[Symbol.asyncDispose]();
              await proxy[Symbol.asyncDispose]();
              await kubernetes.api.publish(service, [], kubernetes.namespace);
            },
          };
        },
      },
    });
  });

  test("is watched: slices that come, change and go", async () => {
    // R2.1
    const service = uniqueName();
    const provider = provide(service);
    expect(await probe(provider)).toBeUndefined();
    const recording = watch(provider);
    await shows(recording);
    await kubernetes.api.publish(service, [node("a"), node("b", 81)], kubernetes.namespace);
    await shows(recording, "a", "b");
    await kubernetes.api.publish(service, [node("b", 81), node("c", 81)], kubernetes.namespace);
    await shows(recording, "b", "c");
    recording.abort();
  });

  test("with 5,000 members in 50 slices shows all of them, and one change as one", async () => {
    const service = uniqueName();
    const slices = Array.from({ length: 50 }, (_, s) => ({
      name: `${service}-${s}`,
      port: 80,
      nodes: Array.from({ length: 100 }, (__, i) => node(`pod-${s * 100 + i}`)),
    }));
    await kubernetes.api.publishSlices(service, slices, kubernetes.namespace);
    const recording = watch(provide(service));
    const all = await recording.waitFor("all of them", () =>
      recording.snapshots.find(({ members }) => members.size === 5_000),
    );
    const moved = slices.map((slice) => ({
      ...slice,
      nodes: slice.nodes.map((each) => (each.id === "pod-2500" ? { ...each, host: "10.0.0.2" } : each)),
    }));
    await kubernetes.api.publishSlices(service, moved, kubernetes.namespace);
    const changed = await recording.waitFor("the change", () =>
      recording.snapshots.find(({ members }) => members.get("pod-2500")?.host === "10.0.0.2"),
    );
    expect([...changed.members].filter((each) => all.members.get(each.id) === each)).toHaveLength(4_999);
    recording.abort();
  });
});
