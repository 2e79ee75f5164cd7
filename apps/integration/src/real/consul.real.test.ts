import { CountingClock, createSeededRandom, providerConformance } from "@holdfast/conformance";
import { createConsulAdapter } from "@holdfast/provider-consul";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { describeReal } from "./backends.ts";
import { ConsulAgent } from "./consul-agent.ts";
import { asSeenByConsul } from "./consul-catalog.ts";
import { TcpProxy } from "./tcp-proxy.ts";
import { createRealProvider, failureOf, probe, shows, time, watch } from "./watched-real.ts";

const node = (id: string, port = 80) => ({ id, host: "10.0.0.1", port });
let services = 0;
const nextService = () => `web-${++services}`;

describeReal("a Consul agent", ["consul"], () => {
  let agent: ConsulAgent;
  const open: AsyncDisposable[] = [];

  beforeAll(async () => {
    agent = await ConsulAgent.start();
  });
  afterEach(async () => {
    for (const each of open.splice(0).toReversed()) await each[Symbol.asyncDispose]();
  });
  afterAll(() => agent[Symbol.asyncDispose]());

  function provide(service: string, params: Readonly<Record<string, unknown>> = {}) {
    const all = { addresses: [agent.address], service, nodeId: "service-id", ...params };
    const provider = createRealProvider("consul", all, 500);
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
          const proxy = await TcpProxy.listen(agent.address);
          const adapter = createConsulAdapter();
          const params = adapter.params.parse({ addresses: [proxy.address], service, nodeId: "service-id" });
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
            publish: (nodes) => agent.catalog.publish(service, nodes),
            breakBackend: () => proxy.refuse(),
            hangBackend: () => proxy.hang(),
            repairBackend: () => proxy.pass(),
            countOpen: () => clock.pendingTimers,
            async teardown() {
              await provider[Symbol.asyncDispose]();
              await proxy[Symbol.asyncDispose]();
              await agent.catalog.publish(service, []);
            },
          };
        },
      },
    });
  });

  test("sees what registers and deregisters", async () => {
    // R2.1
    const service = nextService();
    const provider = provide(service);
    expect(await probe(provider)).toBeUndefined();
    const recording = watch(provider);
    await shows(recording);
    await agent.catalog.register(service, node("a"));
    await shows(recording, "a");
    await agent.catalog.register(service, node("b"));
    await shows(recording, "a", "b");
    await agent.catalog.deregister(service, "a");
    await shows(recording, "b");
    recording.abort();
  });

  test("killed and started again on the same port begins its index low, and nothing is missed", async () => {
    // R5.6: Consul's index going backwards.
    const service = nextService();
    await agent.catalog.publish(service, [node("a"), node("b")]);
    for (let i = 0; i < 30; i++) await agent.catalog.register(service, node("a", 1_000 + i));
    const provider = provide(service);
    const before = watch(provider);
    await shows(before, "a", "b");
    const high = Number(before.snapshots.at(-1)?.revision);
    await agent.process.kill();
    expect((await failureOf(before)).code).toMatch(/^(STREAM_FAILED|CONNECTIVITY_REFUSED)$/);
    expect(await probe(provider)).toMatchObject({ code: "CONNECTIVITY_REFUSED" });
    agent.catalog.forget();
    await agent.process.start();
    await agent.catalog.register(service, node("c"));
    const after = watch(provider);
    await shows(after, "c");
    expect(Number(after.snapshots.at(-1)?.revision)).toBeLessThan(high);
    await agent.catalog.register(service, node("d"));
    await shows(after, "c", "d");
    after.abort();
  });

  test("that is frozen gives no sign of life, and goes on when it thaws", async () => {
    // R2.6 R5.6
    const service = nextService();
    await agent.catalog.publish(service, [node("a")]);
    const recording = watch(provide(service));
    await shows(recording, "a");
    agent.process.freeze();
    try {
      await time.advance(500);
      const before = recording.events.length;
      await time.advance(1_500);
      expect(recording.events.length).toBe(before);
      expect(await probe(provide(service))).toMatchObject({ code: "CONNECTIVITY_TIMEOUT" });
    } finally {
      agent.process.thaw();
    }
    await agent.catalog.register(service, node("b"));
    await shows(recording, "a", "b");
    recording.abort();
  });

  test("with 5,000 instances shows all of them, and one change as one", async () => {
    const service = nextService();
    const nodes = Array.from({ length: 5_000 }, (_, i) => node(`node-${i}`));
    await agent.catalog.publish(service, nodes);
    const recording = watch(provide(service));
    const all = await recording.waitFor("all of them", () =>
      recording.snapshots.find(({ members }) => members.size === 5_000),
    );
    await agent.catalog.register(service, node("node-2500", 8_080));
    const changed = await recording.waitFor("the change", () =>
      recording.snapshots.find(({ members }) => members.get("node-2500")?.port === 8_080),
    );
    const same = [...changed.members].filter((each) => all.members.get(each.id) === each);
    expect(same).toHaveLength(4_999);
    recording.abort();
  });
});
