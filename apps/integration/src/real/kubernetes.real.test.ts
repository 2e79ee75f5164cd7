import { providerConformance } from "@holdfast/conformance";
import { CountingClock, createSeededRandom } from "@holdfast/testing";
import { kubernetes as kubernetesKind } from "@holdfast/provider-kubernetes";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { describeReal } from "@holdfast-apps/lab/describe-real";
import {
  asSeenByKubernetes,
  type OpenKubernetes,
  openKubernetes,
  TcpProxy,
  uniqueName,
} from "@holdfast-apps/lab";
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

  describe.each(["service", "namespace"])("passes the conformance suite with the watch of its %s", (wide) => {
    // R2.1 R2.2 R6.2 R7.1
    providerConformance({
      describe,
      test,
      harness: {
        lacks: ["endStream"],
        async setup() {
          const service = uniqueName();
          const clock = new CountingClock();
          const proxy = await TcpProxy.listen(kubernetes.address);
          const adapter = kubernetesKind.createAdapter();
          const params = adapter.params.parse({
            ...kubernetes.params(proxy.address),
            service,
            watch: wide,
          });
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

  test("delivers slices that are created, changed and deleted", async () => {
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

  test("three addresses with the same host name are three members with their addresses as ids", async () => {
    // CASES C1: the API server accepts such a slice.
    const service = uniqueName();
    const endpoints = [1, 2, 3].map((i) => ({ addresses: [`10.0.0.${i}`], hostname: "db" }));
    await kubernetes.api.publishShapes(service, [{ name: service, endpoints }], kubernetes.namespace);
    const recording = watch(provide(service));
    await shows(recording, "10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80");
    expect(recording.snapshots.at(-1)?.skipped).toBeUndefined();
    // With only one address left, the host name is the id.
    const left = [{ name: service, endpoints: endpoints.slice(2) }];
    await kubernetes.api.publishShapes(service, left, kubernetes.namespace);
    await shows(recording, "db");
    recording.abort();
  });

  test("a pod name with two addresses in two slices is two members until one slice is deleted", async () => {
    // CASES C2
    const service = uniqueName();
    const slices = ["10.0.1.1", "10.0.2.1"].map((address, i) => ({
      name: `${service}-${i}`,
      endpoints: [{ addresses: [address], targetRef: { kind: "Pod", name: "web-0" } }],
    }));
    await kubernetes.api.publishShapes(service, slices, kubernetes.namespace);
    const recording = watch(provide(service));
    await shows(recording, "10.0.1.1:80", "10.0.2.1:80");
    expect(recording.snapshots.at(-1)?.skipped).toBeUndefined();
    await kubernetes.api.publishShapes(service, slices.slice(1), kubernetes.namespace);
    await shows(recording, "web-0");
    expect(recording.snapshots.at(-1)?.members.get("web-0")?.host).toBe("10.0.2.1");
    recording.abort();
  });

  test("a pod in two slices with different ports is not a member if no port is selected", async () => {
    // CASES B2
    const service = uniqueName();
    const endpoints = [{ addresses: ["10.0.0.1"], targetRef: { kind: "Pod", name: "web-0" } }];
    const other = { addresses: ["10.0.0.2"], targetRef: { kind: "Pod", name: "web-1" } };
    const slices = [
      { name: `${service}-0`, endpoints: [...endpoints, other] },
      { name: `${service}-1`, port: 81, endpoints },
    ];
    await kubernetes.api.publishShapes(service, slices, kubernetes.namespace);
    const recording = watch(provide(service));
    await shows(recording, "web-1");
    expect(recording.snapshots.at(-1)?.skipped).toMatchObject({
      count: 1,
      reasons: [expect.stringContaining("several ports")],
    });
    recording.abort();
  });

  test("delivers all of 5,000 members in 50 slices, and a change of one as one changed member", async () => {
    const service = uniqueName();
    const slices = Array.from({ length: 50 }, (_, s) => ({
      name: `${service}-${s}`,
      port: 80,
      nodes: Array.from({ length: 100 }, (__, i) => node(`pod-${s * 100 + i}`)),
    }));
    await kubernetes.api.publishSlices(service, slices, kubernetes.namespace);
    const recording = watch(provide(service));
    const all = await recording.waitFor("all members", () =>
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
