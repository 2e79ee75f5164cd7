import { providerConformance } from "@holdfast/conformance";
import { CountingClock, createSeededRandom } from "@holdfast/testing";
import { consul as consulKind } from "@holdfast/provider-consul";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { describeReal } from "@holdfast-apps/lab/describe-real";
import { asSeenByConsul, type OpenConsul, openConsul, TcpProxy, uniqueName } from "@holdfast-apps/lab";
import { createRealProvider, probe, shows, time, watch } from "./watched-real.ts";

const node = (id: string, port = 80) => ({ id, host: "10.0.0.1", port });

describeReal("Consul", ["consul"], () => {
  let consul: OpenConsul;
  const open: AsyncDisposable[] = [];

  beforeAll(async () => {
    consul = await openConsul();
  });
  afterEach(async () => {
    for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]();
  });
  afterAll(() => consul[Symbol.asyncDispose]());

  function provide(service: string, heartbeatMs = 500) {
    const provider = createRealProvider("consul", { ...consul.params(consul.address), service }, heartbeatMs);
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
          const proxy = await TcpProxy.listen(consul.address);
          const adapter = consulKind.createAdapter();
          const params = adapter.params.parse({ ...consul.params(proxy.address), service });
          const heartbeatMs = 300;
          const provider = adapter.create(
            { id: "test", kind: "consul", priority: 1, params },
            { clock, random: createSeededRandom(1), heartbeatMs },
          );
          return {
            provider,
            heartbeatMs,
            time,
            asSeen: asSeenByConsul,
            publish: (nodes) => consul.catalog.publish(service, nodes),
            breakBackend: () => proxy.refuse(),
            hangBackend: () => proxy.hang(),
            repairBackend: () => proxy.pass(),
            countOpen: () => clock.pendingTimers,
            async teardown() {
              await provider[Symbol.asyncDispose]();
              await proxy[Symbol.asyncDispose]();
              await consul.catalog.publish(service, []);
            },
          };
        },
      },
    });
  });

  test("delivers registrations and deregistrations", async () => {
    // R2.1
    const service = uniqueName();
    const provider = provide(service);
    expect(await probe(provider)).toBeUndefined();
    const recording = watch(provider);
    await shows(recording);
    await consul.catalog.register(service, node("a"));
    await shows(recording, "a");
    await consul.catalog.register(service, node("b"));
    await shows(recording, "a", "b");
    await consul.catalog.deregister(service, "a");
    await shows(recording, "b");
    recording.abort();
  });

  test("lists healthy instances with any address, many or long tags, and long ids", async () => {
    // B1 C3
    const service = uniqueName();
    const register = (id: string, more: Readonly<Record<string, unknown>>) =>
      consul.catalog.call("PUT", "/v1/catalog/register", {
        Node: `${service}-${id.slice(0, 20)}`,
        Address: "10.9.9.9",
        Service: { ID: id, Service: service, ...more },
        Check: { Name: "test", Status: "passing", ServiceID: id },
      });
    const wan = { wan: { Address: "198.18.0.23", Port: 80 } };
    await register("whole", { Address: "192.168.0.55", Port: 8_000, TaggedAddresses: wan });
    await register("portless", { Address: "192.168.0.55", TaggedAddresses: wan });
    await register("ipv6", { Address: "2001:db8::1", Port: 9 });
    await register("tag", { Port: 7, Tags: ["x".repeat(1_025), "b"] });
    await register("tags", { Port: 7, Tags: Array.from({ length: 257 }, (_, i) => `${i}`) });
    await register("i".repeat(300), { Port: 7 });
    await register("malformed", { Port: 7, Address: "http://10.0.0.1" });
    const provider = createRealProvider(
      "consul",
      {
        ...consul.params(consul.address),
        service,
        nodeId: "service-id",
        taggedAddress: "wan",
      },
      500,
    );
    open.push(provider);
    const recording = watch(provider);
    const { members, skipped, trimmed } = await recording.waitFor("a snapshot", () => recording.snapshots[0]);
    const seen = Object.fromEntries(
      Array.from(members, ({ id, host, port }) => [id.slice(0, 9), `${host} ${port}`]),
    );
    expect(seen).toMatchObject({
      whole: "198.18.0.23 80",
      portless: "198.18.0.23 80",
      ipv6: "2001:db8::1 9",
      tag: "10.9.9.9 7",
      tags: "10.9.9.9 7",
      iiiiiiiii: "10.9.9.9 7",
    });
    expect(trimmed?.count).toBe(3);
    expect(skipped?.count ?? 0).toBe(7 - members.size);
    recording.abort();
    for (const id of ["whole", "portless", "ipv6", "tag", "tags", "i".repeat(20), "malformed"])
      await consul.catalog.call("PUT", "/v1/catalog/deregister", { Node: `${service}-${id}` });
  });

  test("delivers all of 5,000 instances, and a change of one as one changed member", async () => {
    const service = uniqueName();
    const nodes = Array.from({ length: 5_000 }, (_, i) => node(`node-${i}`));
    await consul.catalog.publish(service, nodes);
    // On a slow machine, reading all of them can take more than a second.
    const recording = watch(provide(service, 2_500));
    const all = await recording.waitFor("all members", () =>
      recording.snapshots.find(({ members }) => members.size === 5_000),
    );
    await consul.catalog.register(service, node("node-2500", 8_080));
    const changed = await recording.waitFor("the change", () =>
      recording.snapshots.find(({ members }) => members.get("node-2500")?.port === 8_080),
    );
    const same = [...changed.members].filter((each) => all.members.get(each.id) === each);
    expect(same).toHaveLength(4_999);
    recording.abort();
  });
});
