import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import type { ProviderDescriptorInput } from "@holdfast/core";
import { describeReal } from "@holdfast-apps/lab/describe-real";
import { ConsulAgent, eventually, HttpGateway, KubernetesServer, uniqueName } from "@holdfast-apps/lab";
import { RealService } from "./real-service.ts";
import { stopInOrder } from "./stop-in-order.ts";

const node = (id: string) => ({ id, host: "10.0.0.1", port: 80 });

describeReal("the whole path on Consul and Kubernetes", ["consul program", "kube-api program"], () => {
  let agent: ConsulAgent;
  let cluster: KubernetesServer;
  let toConsul: HttpGateway;
  let toKubernetes: HttpGateway;
  let service: string;
  let real: RealService | undefined;

  beforeAll(async () => {
    [agent, cluster] = await Promise.all([ConsulAgent.start(), KubernetesServer.start()]);
  });
  beforeEach(async () => {
    real = undefined;
    service = uniqueName();
    toConsul = await HttpGateway.listen({ address: agent.address, headers: {}, tls: {} });
    toKubernetes = await HttpGateway.listen(cluster.api.access);
    await agent.catalog.publish(service, [node("a"), node("b")]);
    await cluster.api.publish(service, [node("b"), node("k")]);
  });
  afterEach(async () => {
    await real?.service.stop();
    await toConsul[Symbol.asyncDispose]();
    await toKubernetes[Symbol.asyncDispose]();
  });
  afterAll(() => Promise.all([agent[Symbol.asyncDispose](), cluster[Symbol.asyncDispose]()]));

  const consul = (priority: number): ProviderDescriptorInput => ({
    id: "consul",
    kind: "consul",
    priority,
    params: { addresses: [toConsul.address], service, nodeId: "service-id" },
  });
  const kubernetes = (priority: number): ProviderDescriptorInput => ({
    id: "kubernetes",
    kind: "kubernetes",
    priority,
    params: { server: toKubernetes.address, namespace: "default", service },
  });

  async function start(...providers: readonly ProviderDescriptorInput[]): Promise<RealService> {
    real = await RealService.started(providers);
    return real;
  }

  test("fails over to Kubernetes when Consul hangs, and back when it continues", async () => {
    // R2.1 R2.5 R2.6 R3.3 R3.4 R4.1 R5.6
    const started = await start(consul(2), kubernetes(1));
    await started.agrees("consul", "a", "b");
    await agent.catalog.register(service, node("c"));
    await started.agrees("consul", "a", "b", "c");
    agent.process.freeze();
    try {
      await started.agrees("kubernetes", "b", "k");
      await cluster.api.publish(service, [node("b"), node("k"), node("l")]);
      await started.agrees("kubernetes", "b", "k", "l");
    } finally {
      agent.process.thaw();
    }
    await started.agrees("consul", "a", "b", "c");
    await agent.catalog.deregister(service, "a");
    await started.agrees("consul", "b", "c");
    const switches = ["consul → kubernetes: timeout", "kubernetes → consul: recovered"];
    for (const port of ["placement", "partition"] as const) expect(started.switches(port)).toEqual(switches);
    await stopInOrder(started, [toConsul, toKubernetes]);
  });

  test("fails over to Consul when Kubernetes is killed, and back when it is started again", async () => {
    // R2.2 R2.5 R2.6 R3.4 R4.1 R5.6
    const started = await start(kubernetes(2), consul(1));
    await started.agrees("kubernetes", "b", "k");
    await cluster.apiServer.kill();
    try {
      await started.agrees("consul", "a", "b");
      await agent.catalog.register(service, node("c"));
      await started.agrees("consul", "a", "b", "c");
    } finally {
      await cluster.apiServer.start();
    }
    await started.agrees("kubernetes", "b", "k");
    const switches = ["kubernetes → consul: errors", "consul → kubernetes: recovered"];
    for (const port of ["placement", "partition"] as const) expect(started.switches(port)).toEqual(switches);
    expect(started.events.find(({ kind }) => kind === "stream_terminated")).toMatchObject({
      providerId: "kubernetes",
      snapshotHash: started.placement.ticks[0]?.snapshot.hash,
    });
    await stopInOrder(started, [toConsul, toKubernetes]);
  });

  test("is unavailable without both, stops placement, and uses the first provider that returns", async () => {
    // R5.3 R5.6
    const started = await start(consul(2), kubernetes(1));
    const { topology, placement } = started.service;
    await started.agrees("consul", "a", "b");
    await Promise.all([agent.process.kill(), cluster.apiServer.kill()]);
    try {
      await eventually(() => expect(topology.state.status).toBe("unavailable"));
      expect(topology.state).toMatchObject({ isStale: true, snapshot: { members: { size: 2 } } });
      await expect(placement?.admit()).rejects.toMatchObject({ code: "TOPOLOGY_UNAVAILABLE" });
      for (const port of [started.placement, started.partition, started.remoting])
        await eventually(() =>
          expect(port.notices.at(-1)).toMatchObject({ kind: "status_changed", to: "unavailable" }),
        );
    } finally {
      await cluster.apiServer.start();
    }
    await started.agrees("kubernetes", "b", "k");
    expect(topology.state).toMatchObject({ status: "ready", isStale: false });
    await expect(placement?.admit()).resolves.toBeDefined();
    await stopInOrder(started, [toConsul, toKubernetes]);
    agent.catalog.forget();
    await agent.process.start();
  });

  test("rejects a start with a standby that denies access", async () => {
    // R1.4 R5.4
    toKubernetes.fail({ kind: "response", status: 403, headers: {}, body: "" });
    await expect(start(consul(2), kubernetes(1))).rejects.toMatchObject({
      code: "CONNECTIVITY_UNAUTHORIZED",
    });
    await eventually(() => expect([toConsul.connections, toKubernetes.connections]).toEqual([0, 0]));
  });
});
